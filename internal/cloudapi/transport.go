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

// defaultTransport returns the transport for all Clients whose Options.Transport is nil.
var defaultTransport = sync.OnceValue(func() Transport { return NewTransport(nil) })

// NewTransport returns a transport that trusts the certificate authorities in roots. If roots is
// nil, it trusts the system's authorities. Clients with the same transport share its connections.
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
		// Pings find dead connections. Without pings, a dead connection stays in use for about 15
		// minutes.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
}
