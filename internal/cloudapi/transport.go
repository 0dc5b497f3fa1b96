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

// Transport sends requests to the cloud.
type Transport = http.RoundTripper

// defaultTransport returns the transport that all Clients share whose options have none.
var defaultTransport = sync.OnceValue(func() Transport { return NewTransport(nil) })

// NewTransport returns a transport for Clients to share, so that they share connections. It trusts
// the certificate authorities in roots; if roots is nil, those of the system. It does not bound how
// long a whole body may take: the request's context does.
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
		// Without pings, a dead connection is used again and again, until the kernel gives it up
		// after a quarter of an hour.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
}
