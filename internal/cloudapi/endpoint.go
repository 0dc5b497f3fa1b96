// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// ParseEndpoint checks the URL of the API and returns it in a normal form: scheme and host in lower
// case, no default port, no slash at the end. The error never repeats the endpoint, because a wrong
// endpoint may contain a password.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	const example = "give an absolute URL such as https://api.confluent.cloud"
	if endpoint == "" {
		return nil, errors.New("endpoint is empty; " + example)
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return nil, errors.New("endpoint is not a URL; " + example)
	case u.Scheme == "":
		return nil, errors.New("endpoint has no scheme; " + example)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("endpoint's scheme is neither https nor http; " + example)
	case u.Hostname() == "":
		return nil, errors.New("endpoint has no host; " + example)
	case u.User != nil:
		return nil, errors.New("endpoint has user info; remove it, the credential is given apart")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("endpoint has a query; remove everything from the question mark on")
	case strings.Contains(endpoint, "#"):
		return nil, errors.New("endpoint has a fragment; remove everything from the number sign on")
	}
	host, err := normalHost(u)
	if err != nil {
		return nil, err
	}
	u.Host = host
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// Origin returns the scheme, host and port of an endpoint, such as "https://api.confluent.cloud".
// Letters are in lower case, and a default port is left out. If the endpoint is invalid, Origin
// returns an error.
func Origin(endpoint string) (string, error) {
	u, err := ParseEndpoint(endpoint)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}

// originOf returns the scheme, host and port of a URL. Letters are in lower case. A default port is
// left out.
func originOf(u *url.URL) (string, error) {
	if u.Hostname() == "" {
		return "", errors.New("the URL has no host")
	}
	host, err := normalHost(u)
	if err != nil {
		return "", err
	}
	return strings.ToLower(u.Scheme) + "://" + host, nil
}

// normalHost returns the host of u in lower case, followed by the port. The default port of the
// scheme is left out.
func normalHost(u *url.URL) (string, error) {
	host := strings.ToLower(u.Hostname())
	port, err := normalPort(u)
	if err != nil {
		return "", err
	}
	if port != "" {
		return net.JoinHostPort(host, port), nil
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]", nil
	}
	return host, nil
}

// normalPort returns the port of u. It returns "" if u has no port or has the default port of its
// scheme.
func normalPort(u *url.URL) (string, error) {
	if u.Port() == "" {
		return "", nil
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || n == 0 {
		return "", errors.New("endpoint's port is not between 1 and 65535")
	}
	scheme := strings.ToLower(u.Scheme)
	if (scheme == "https" && n == 443) || (scheme == "http" && n == 80) {
		return "", nil
	}
	return strconv.FormatUint(n, 10), nil
}
