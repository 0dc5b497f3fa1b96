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
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

const ensurePath = "../../hack/controlplane/ensure"

// fileLimit is how large a file may become that ensure writes, in KiB.
const fileLimit = "FILE_LIMIT"

// ensureCommand is hack/controlplane/ensure with an empty cache and these variables.
func ensureCommand(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "-c", "trap '' XFSZ; ulimit -f ${"+fileLimit+":-unlimited}; exec "+ensurePath)
	command.Env = append(os.Environ(), "KUBEBUILDER_ASSETS=", "CONTROLPLANE_CACHE="+t.TempDir(), "HTTPS_PROXY=", "https_proxy=")
	command.Env = append(command.Env, env...)
	return command
}

// ensure runs it, and returns the folder it prints and what it says.
func ensure(t *testing.T, env ...string) (folder, said string, err error) {
	t.Helper()
	command := ensureCommand(t, env...)
	var words strings.Builder
	command.Stderr = &words
	out, err := command.Output()
	t.Log(words.String())
	return strings.TrimSpace(string(out)), words.String(), err
}

// mirror serves binaries that are none, by what spoil makes of an answer, and returns the address
// of the index. Without spoil all is as it should be.
func mirror(t *testing.T, spoil func(w http.ResponseWriter, path string, answer []byte)) (index string) {
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
		if spoil == nil {
			handler.ServeHTTP(w, r)
			return
		}
		honest := httptest.NewRecorder()
		handler.ServeHTTP(honest, r)
		spoil(w, r.URL.Path, honest.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL + "/index.yaml"
}

// says runs a binary of a folder and returns its output.
func says(t *testing.T, folder, binary string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(folder, binary)).Output()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return strings.TrimSpace(string(out))
}

func TestEnsureDownloadsWhereItCan(t *testing.T) {
	g := NewWithT(t)
	index, cache := mirror(t, nil), "CONTROLPLANE_CACHE="+t.TempDir()
	folder, _, err := ensure(t, "CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_PART=servers", "CONTROLPLANE_INDEX="+index, cache)
	g.Expect(err).NotTo(HaveOccurred())
	for _, binary := range []string{apiServerName, etcdName, kubectlName} {
		g.Expect(says(t, folder, binary)).To(Equal(binary))
	}
	g.Expect(filepath.Join(folder, controllersName)).NotTo(BeAnExistingFile(), "the servers do not wait for it")

	whole, said, err := ensure(t, "CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_INDEX=http://127.0.0.1:1", cache)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(whole).To(Equal(folder), "what is there is not downloaded again")
	g.Expect(said).NotTo(ContainSubstring("download"))
	out, err := exec.CommandContext(t.Context(), filepath.Join(whole, controllersName)).CombinedOutput()
	g.Expect(err).To(HaveOccurred())
	g.Expect(string(out)).To(ContainSubstring("--kubeconfig"), "the controllers are ours, built")
}

// Whatever comes in the place of the archive, nothing of it is taken, one line says why, and the
// next run, to which the mirror is honest, is not hindered by what this one left.
func TestEnsureTakesNothingThatIsNotWhole(t *testing.T) {
	other := regexp.MustCompile("hash: .*")
	for name, c := range map[string]struct {
		spoil func(w http.ResponseWriter, path string, answer []byte)
		limit string
		said  string
	}{
		"another checksum": {func(w http.ResponseWriter, path string, answer []byte) {
			if path == "/index.yaml" {
				answer = other.ReplaceAll(answer, fmt.Appendf(nil, "hash: %x", sha512.Sum512(nil)))
			}
			_, _ = w.Write(answer)
		}, "", "has another checksum than the index says"},
		"half an archive": {func(w http.ResponseWriter, path string, answer []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			if path != "/index.yaml" {
				answer = answer[:len(answer)/2]
			}
			_, _ = w.Write(answer)
		}, "", "(18)"},
		"an error": {func(w http.ResponseWriter, _ string, _ []byte) { w.WriteHeader(http.StatusBadGateway) }, "", "502"},
		"no such release": {func(w http.ResponseWriter, _ string, answer []byte) {
			_, _ = w.Write([]byte(strings.ReplaceAll(string(answer), "v1.", "v2.")))
		}, "", "has none for " + runtime.GOOS},
		// A file that may not grow stands for a disk that is full.
		"a full disk": {func(w http.ResponseWriter, _ string, _ []byte) { _, _ = w.Write(make([]byte, 1<<20)) }, "8", "(23)"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cache := "CONTROLPLANE_CACHE=" + t.TempDir()
			env := []string{"CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_PART=servers", cache}
			if c.limit != "" {
				env = append(env, fileLimit+"="+c.limit)
			}
			folder, said, err := ensure(t, append(env, "CONTROLPLANE_INDEX="+mirror(t, c.spoil))...)
			g.Expect(err).To(HaveOccurred())
			g.Expect(folder).To(BeEmpty())
			g.Expect(said).To(And(ContainSubstring("cannot be downloaded here: "), ContainSubstring(c.said)))

			folder, _, err = ensure(t, "CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_PART=servers", cache, "CONTROLPLANE_INDEX="+mirror(t, nil))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(says(t, folder, etcdName)).To(Equal(etcdName))
		})
	}
}

func TestEnsureSaysWhereNothingAnswers(t *testing.T) {
	g := NewWithT(t)
	// No port that was just another server's: one of another test may have it by now.
	_, said, err := ensure(t, "CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_INDEX=http://127.0.0.1:1/index.yaml")
	g.Expect(err).To(HaveOccurred())
	g.Expect(said).To(And(ContainSubstring("cannot be downloaded here: "), ContainSubstring("(7)")))
}

// A run in the middle of a download is killed; what it held and left does not stop the next one.
// Both ways to lock are tried: by flock, and without it.
func TestEnsureGoesOnAfterOneThatWasKilled(t *testing.T) {
	for name, path := range map[string]string{"flock": os.Getenv("PATH"), "no flock": withoutFlock(t)} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cache := t.TempDir()
			asked, finish := make(chan struct{}), make(chan struct{})
			defer close(finish)
			env := []string{"CONTROLPLANE_SOURCE=envtest", "CONTROLPLANE_PART=servers", "CONTROLPLANE_CACHE=" + cache, "PATH=" + path}
			killed := ensureCommand(t, append(env, "CONTROLPLANE_INDEX="+mirror(t, func(w http.ResponseWriter, path string, answer []byte) {
				if path != "/index.yaml" {
					_, _ = w.Write(answer[:1])
					w.(http.Flusher).Flush()
					close(asked)
					<-finish
				}
				_, _ = w.Write(answer)
			}))...)
			killed.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			g.Expect(killed.Start()).To(Succeed())
			<-asked
			g.Expect(syscall.Kill(-killed.Process.Pid, syscall.SIGKILL)).To(Succeed())
			g.Expect(killed.Wait()).NotTo(Succeed())
			left, err := filepath.Glob(filepath.Join(cache, "*.lock*"))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(left).NotTo(BeEmpty(), "it was in the middle")

			folder, _, err := ensure(t, append(env, "CONTROLPLANE_INDEX="+mirror(t, nil))...)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(says(t, folder, apiServerName)).To(Equal(apiServerName))
		})
	}
}

// withoutFlock returns a PATH on which every program is but flock.
func withoutFlock(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	folder := t.TempDir()
	for from := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		programs, _ := os.ReadDir(from) // One that does not exist has none.
		for _, program := range programs {
			if _, err := os.Lstat(filepath.Join(folder, program.Name())); err != nil && program.Name() != "flock" {
				g.Expect(os.Symlink(filepath.Join(from, program.Name()), filepath.Join(folder, program.Name()))).To(Succeed())
			}
		}
	}
	return folder
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
	other := filepath.Join(cache, "v1.36.0-0123456789-linux-amd64")
	g.Expect(os.Mkdir(other, 0o700)).To(Succeed())
	for _, binary := range []string{apiServerName, etcdName, kubectlName, controllersName} {
		g.Expect(os.WriteFile(filepath.Join(other, binary), nil, 0o700)).To(Succeed())
	}
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

// Otherwise what is built would be kept under a key that no change of the pins changes.
func TestEnsureStopsIfItCannotReadItsPins(t *testing.T) {
	g := NewWithT(t)
	folder := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(folder, "cat"), []byte("#!/bin/sh\nexit 1\n"), 0o700)).To(Succeed())
	_, said, err := ensure(t, "CONTROLPLANE_SOURCE=cache", "PATH="+folder+":"+os.Getenv("PATH"))
	g.Expect(err).To(HaveOccurred())
	g.Expect(said).To(ContainSubstring("hack/controlplane cannot be read"))
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
