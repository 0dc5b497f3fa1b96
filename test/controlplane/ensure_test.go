// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"crypto/sha512"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const ensurePath = "../../hack/controlplane/ensure"

// ensure runs hack/controlplane/ensure with an empty cache and these variables, and
// returns the folder it prints and what it says.
func ensure(t *testing.T, env ...string) (folder, said string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), ensurePath)
	command.Env = append(os.Environ(), "KUBEBUILDER_ASSETS=", "CONTROLPLANE_CACHE="+t.TempDir(), "HTTPS_PROXY=", "https_proxy=")
	command.Env = append(command.Env, env...)
	var words strings.Builder
	command.Stderr = &words
	out, err := command.Output()
	t.Log(words.String())
	return strings.TrimSpace(string(out)), words.String(), err
}

// mirror serves binaries that are none, and returns the address of the index; its checksum
// is another one than the archive's, if so wanted.
func mirror(t *testing.T, otherChecksum bool) (index string) {
	t.Helper()
	g := NewWithT(t)
	module, err := os.ReadFile("../../hack/controlplane/go.mod")
	g.Expect(err).NotTo(HaveOccurred())
	release := regexp.MustCompile(`k8s\.io/kubernetes (v\S+)`).FindSubmatch(module)[1]
	folder := t.TempDir()
	for _, binary := range []string{apiServerName, etcdName, kubectlName} {
		g.Expect(os.WriteFile(filepath.Join(folder, binary), []byte("#!/bin/sh\necho "+binary+"\n"), 0o755)).To(Succeed())
	}
	handler, err := Mirror(string(release), folder)
	g.Expect(err).NotTo(HaveOccurred())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !otherChecksum || r.URL.Path != "/index.yaml" {
			handler.ServeHTTP(w, r)
			return
		}
		honest := httptest.NewRecorder()
		handler.ServeHTTP(honest, r)
		_, _ = fmt.Fprintf(w, "%s", regexp.MustCompile("hash: .*").ReplaceAllString(honest.Body.String(), fmt.Sprintf("hash: %x", sha512.Sum512(nil))))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/index.yaml"
}

func TestEnsureDownloadsWhereItCan(t *testing.T) {
	g := NewWithT(t)
	folder, _, err := ensure(t, "CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_INDEX="+mirror(t, false))
	g.Expect(err).NotTo(HaveOccurred())
	out, err := exec.CommandContext(t.Context(), filepath.Join(folder, apiServerName)).Output()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(out)).To(Equal(apiServerName + "\n"))
	out, err = exec.CommandContext(t.Context(), filepath.Join(folder, controllersName)).CombinedOutput()
	g.Expect(err).To(HaveOccurred())
	g.Expect(string(out)).To(ContainSubstring("--kubeconfig"), "the controllers are ours, built")
}

func TestEnsureTakesNothingWithAnotherChecksum(t *testing.T) {
	g := NewWithT(t)
	folder, said, err := ensure(t, "CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_INDEX="+mirror(t, true))
	g.Expect(err).To(HaveOccurred())
	g.Expect(folder).To(BeEmpty())
	g.Expect(said).To(ContainSubstring("cannot fetch Kubernetes"))
}

func TestEnsureBuildsNoToolWhereNothingAnswers(t *testing.T) {
	g := NewWithT(t)
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	tools := t.TempDir()
	_, said, err := ensure(t, "CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_INDEX="+server.URL+"/index.yaml", "TOOLS_CACHE="+tools)
	g.Expect(err).To(HaveOccurred())
	g.Expect(said).To(ContainSubstring("nothing answers at"))
	g.Expect(os.ReadDir(tools)).To(BeEmpty())
}

func TestEnsureSaysWhatIsWrongWithAssets(t *testing.T) {
	for name, c := range map[string]struct{ assets, text string }{
		"no folder": {"/nowhere/at/all", "which is no folder; unset it"},
		"empty":     {t.TempDir(), "which lacks kube-apiserver; put it there, or unset KUBEBUILDER_ASSETS"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			folder, said, err := ensure(t, "KUBEBUILDER_ASSETS="+c.assets)
			g.Expect(err).To(HaveOccurred())
			g.Expect(folder).To(BeEmpty())
			g.Expect(said).To(ContainSubstring(c.text))
		})
	}
}

// A script's own words are tested where it stops before it does anything.
func TestTheDoctorNamesWhatIsLackingAndTheWayOut(t *testing.T) {
	const doctor = "../../hack/doctor"
	empty := t.TempDir()
	for name, c := range map[string]struct {
		env  []string
		text []string
	}{
		"no Go":           {[]string{"PATH=" + withoutGo(t)}, []string{"Go: install Go", "https://go.dev/dl"}},
		"an old Go":       {[]string{"PATH=" + fakeGo(t, "go1.21.3") + ":" + os.Getenv("PATH")}, []string{"Go 1.26", "this is Go 1.21.3"}},
		"assets nowhere":  {[]string{"KUBEBUILDER_ASSETS=" + empty}, []string{"kube-apiserver: KUBEBUILDER_ASSETS is " + empty, "unset it"}},
		"no module proxy": {[]string{"CONTROLPLANE_CACHE=" + empty, "KUBEBUILDER_ASSETS=", "GOPROXY=http://127.0.0.1:1", "GOMODCACHE=" + empty}, []string{"module proxy: GOPROXY is http://127.0.0.1:1", "set GOPROXY"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			command := exec.CommandContext(t.Context(), doctor, "--brief")
			command.Env = append(os.Environ(), c.env...)
			out, err := command.CombinedOutput()
			g.Expect(err).To(HaveOccurred(), string(out))
			for _, text := range append(c.text, "doctor: ") {
				g.Expect(string(out)).To(ContainSubstring(text))
			}
		})
	}
	g := NewWithT(t)
	out, err := exec.CommandContext(t.Context(), doctor).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(string(out)).To(ContainSubstring("everything needed is there"))
}

func TestTheDoctorTakesNoOtherVersionsControlPlane(t *testing.T) {
	g := NewWithT(t)
	cache := t.TempDir()
	g.Expect(os.Mkdir(filepath.Join(cache, "v1.36.0-0123456789-linux-amd64"), 0o700)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(cache, "v1.36.0-0123456789-linux-amd64", ".complete"), nil, 0o600)).To(Succeed())
	command := exec.CommandContext(t.Context(), "../../hack/doctor")
	command.Env = append(os.Environ(), "KUBEBUILDER_ASSETS=", "CONTROLPLANE_CACHE="+cache)
	out, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(string(out)).To(ContainSubstring("control plane: none in " + cache))
}

// withoutGo makes a folder with what the doctor calls, but for Go.
func withoutGo(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"bash", "dirname", "git", "make", "awk", "sed", "sort", "head"} {
		path, err := exec.LookPath(name)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(os.Symlink(path, filepath.Join(folder, name))).To(Succeed())
	}
	return folder
}

// fakeGo makes a folder with a go of another version.
func fakeGo(t *testing.T, version string) string {
	t.Helper()
	folder := t.TempDir()
	NewWithT(t).Expect(os.WriteFile(filepath.Join(folder, "go"), []byte("#!/bin/sh\necho "+version+"\n"), 0o700)).To(Succeed())
	return folder
}

func TestAReleaseThatIsNoneIsNamed(t *testing.T) {
	for _, release := range []string{"1.34", "v1.34", "v1.34.x", "v1.34.5-rc.1", "latest"} {
		g := NewWithT(t)
		folder, said, err := ensure(t, "KUBERNETES="+release)
		g.Expect(err).To(HaveOccurred(), release)
		g.Expect(said).To(ContainSubstring("KUBERNETES is '" + release + "': it is a release, such as v1.34.5"))
		g.Expect(folder).To(BeEmpty(), release)
	}
}
