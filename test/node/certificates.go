// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// authority signs every certificate of the node's cluster and writes them into a folder.
type authority struct {
	folder string
	cert   *x509.Certificate
	key    crypto.Signer
}

// newAuthority makes an authority, whose own certificate is ca.crt.
func newAuthority(folder string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	own, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "node"}, key)
	if err != nil {
		return nil, err
	}
	a := &authority{folder: folder, cert: own, key: key}
	return a, a.write("ca", own, key)
}

// file is the path of a file in the authority's folder.
func (a *authority) file(name string) string { return filepath.Join(a.folder, name) }

// write writes NAME.crt and NAME.key.
func (a *authority) write(name string, certificate *x509.Certificate, key crypto.Signer) error {
	encoded, err := cert.EncodeCertificates(certificate)
	if err != nil {
		return err
	}
	if err := cert.WriteCert(a.file(name+".crt"), encoded); err != nil {
		return err
	}
	private, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return keyutil.WriteKey(a.file(name+".key"), private)
}

// issue writes a certificate, good for a day, of a user and its group, and of a server
// where it has addresses.
func (a *authority) issue(name, user, group string, addresses ...string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: user, Organization: []string{group}},
		NotBefore:    a.cert.NotBefore,
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, address := range addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("certificate %s: %w", name, err)
	}
	certificate, err := x509.ParseCertificate(signed)
	if err != nil {
		return err
	}
	return a.write(name, certificate, key)
}

// kubeconfig issues a certificate of a user and writes NAME.kubeconfig with it.
func (a *authority) kubeconfig(name, user, group string) error {
	if err := a.issue(name, user, group); err != nil {
		return err
	}
	var content [3][]byte
	for i, file := range []string{"ca.crt", name + ".crt", name + ".key"} {
		var err error
		if content[i], err = os.ReadFile(a.file(file)); err != nil {
			return err
		}
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["node"] = &clientcmdapi.Cluster{Server: apiServerURL, CertificateAuthorityData: content[0]}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: content[1], ClientKeyData: content[2]}
	config.Contexts["node"] = &clientcmdapi.Context{Cluster: "node", AuthInfo: user}
	config.CurrentContext = "node"
	return clientcmd.WriteToFile(*config, a.file(name+".kubeconfig"))
}
