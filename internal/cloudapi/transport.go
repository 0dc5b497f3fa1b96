// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
	"time"
)

// Transport does the exchanges with the cloud.
type Transport = http.RoundTripper

// defaultTransport returns the transport that every Client without one of its
// own shares.
var defaultTransport = sync.OnceValue(func() Transport { return NewTransport(nil) })

// NewTransport returns a transport for Clients to share, so that connections are reused
// across sources. It trusts the certificate authorities in roots, the system's if nil. How
// long a whole body may take is the context's to say.
func NewTransport(roots *x509.CertPool) Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
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
}
