// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/util/cert"
)

func TestTheCommandsStatusIsTheNodes(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for name, test := range map[string]struct {
		ctx    context.Context
		script string
		want   error
	}{
		"success":     {t.Context(), "exit 0", nil},
		"a status":    {t.Context(), "exit 7", status(7)},
		"a signal":    {t.Context(), "kill -9 $$", status(exitFailed)},
		"interrupted": {ended, "exit 0", status(exitInterrupted)},
		"in a hurry":  {ended, "kill -2 $$", status(exitInterrupted)},
	} {
		t.Run(name, func(t *testing.T) {
			got := statusOf(test.ctx, exec.CommandContext(t.Context(), "sh", "-c", test.script).Run())
			if test.want == nil {
				NewWithT(t).Expect(got).NotTo(HaveOccurred())
			} else {
				NewWithT(t).Expect(got).To(Equal(test.want))
			}
		})
	}
}

// A node that was killed with kill -9 leaves its folder.
func TestWhatAKilledRunLeavesIsClearedAway(t *testing.T) {
	g := NewWithT(t)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	gone := exec.CommandContext(t.Context(), "true")
	g.Expect(gone.Run()).To(Succeed())
	for name, pid := range map[string]int{"dead": gone.Process.Pid, "alive": os.Getpid()} {
		dir := filepath.Join(temporary, folderPrefix+name)
		g.Expect(os.MkdirAll(filepath.Join(dir, "logs"), 0o750)).To(Succeed())
		g.Expect(os.WriteFile(filepath.Join(dir, pidFile), []byte(strconv.Itoa(pid)), 0o600)).To(Succeed())
	}
	g.Expect(sweep()).To(Succeed())
	g.Expect(filepath.Join(temporary, folderPrefix+"dead")).NotTo(BeADirectory())
	g.Expect(filepath.Join(temporary, folderPrefix+"alive", "logs")).To(BeADirectory())
}

func TestEachCertificateIsOfTheAuthority(t *testing.T) {
	g := NewWithT(t)
	authority, err := newAuthority(t.TempDir())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(authority.issue("server", "kube-apiserver", "", nodeAddress, apiService)).To(Succeed())
	g.Expect(authority.kubeconfig("admin", "admin", "system:masters")).To(Succeed())
	roots := x509.NewCertPool()
	roots.AddCert(authority.cert)
	for name, host := range map[string]string{"server": apiService, "admin": ""} {
		certificates, err := cert.CertsFromFile(authority.file(name + ".crt"))
		g.Expect(err).NotTo(HaveOccurred())
		_, err = certificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: host, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		g.Expect(err).NotTo(HaveOccurred(), name)
	}
	g.Expect(authority.file("admin.kubeconfig")).To(BeARegularFile())
}
