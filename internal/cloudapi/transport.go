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

// defaultTransport returns the transport that all Clients without one of their own share.
var defaultTransport = sync.OnceValue(func() Transport { return NewTransport(nil) })

// NewTransport returns a transport that Clients share, so that connections are used again for other
// sources. It trusts the certificate authorities in roots; if nil, the system's. The context
// decides how long a whole body may take.
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
		// Without pings, a connection that died silently is used again and again, until the kernel
		// gives it up after a quarter of an hour.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
}
