// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// defaultTransport returns the transport that every Client without one of its
// own shares, so that connections are reused across sources. How long a whole
// body may take is the context's to say.
var defaultTransport = sync.OnceValue(func() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    16,
		MaxResponseHeaderBytes: 64 << 10,
		// Without pings, a connection that died in silence is handed out
		// again and again until the kernel gives it up, after a quarter hour.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
})
