// SPDX-License-Identifier: Apache-2.0

package options

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// readCABundle adds the certificates in the file of --ca-bundle to the system's certificate
// authorities. If any block of the file is damaged or is not a certificate, readCABundle returns an
// error. It never skips a certificate silently.
func (o *Options) readCABundle() error {
	if o.caBundle == "" {
		return nil
	}
	bundle, err := os.ReadFile(o.caBundle)
	if err != nil {
		return fmt.Errorf("--ca-bundle: %w", err)
	}
	certificates, err := parseCertificates(bundle)
	if err != nil {
		return fmt.Errorf("--ca-bundle: %s: %w", o.caBundle, err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return fmt.Errorf("--ca-bundle: the system's own certificate authorities: %w", err)
	}
	for _, certificate := range certificates {
		roots.AddCert(certificate)
	}
	o.Roots = roots
	return nil
}

// parseCertificates returns the certificates in a PEM file. It ignores text between the PEM blocks.
func parseCertificates(bundle []byte) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for rest := bundle; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		n := len(certificates) + 1
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("block %d is %q, must be CERTIFICATE", n, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("block %d is no certificate: %w", n, err)
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 {
		return nil, errors.New("has no certificate in PEM, such as begins with -----BEGIN CERTIFICATE-----")
	}
	// pem.Decode skips a damaged block without an error. So the number of BEGIN lines and the number
	// of END lines must equal the number of certificates.
	for _, line := range []string{"-----BEGIN ", "-----END "} {
		if n := bytes.Count(bundle, []byte(line)); n != len(certificates) {
			return nil, fmt.Errorf("%d lines begin with %s, and %d blocks can be read: one is cut or damaged", n, line, len(certificates))
		}
	}
	return certificates, nil
}
