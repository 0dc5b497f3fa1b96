package controlplane

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// childDir names, to a copy of the test binary, the folder in which to run a plane
// until it is killed.
const childDir = "CONTROLPLANE_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := Start(context.Background(), Options{Dir: dir}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("started")
	select {}
}

// running is the state that the steps of TestPlane share.
type running struct {
	plane   *Plane
	clients *kubernetes.Clientset
	// reader is the service account's kubeconfig.
	reader string
}

const (
	namespace = "room"
	// patience is how long a test waits for what happens soon on a machine that is not busy.
	patience = 3 * time.Minute
)

// TestPlane takes one plane through its life, for a start costs seconds.
func TestPlane(t *testing.T) {
	g := NewWithT(t)
	audit := filepath.Join(t.TempDir(), "audit.log")
	plane, err := Start(t.Context(), Options{
		CRDPaths: []string{"testdata"},
		AuditLog: audit,
		Log:      t.Output(),
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = plane.Stop() })
	// As the demo does, whose controllers are still being compiled when the rest starts.
	g.Expect(plane.StartControllers(t.Context(), os.Getenv("KUBEBUILDER_ASSETS"))).To(Succeed())
	g.Expect(plane.StartControllers(t.Context(), "")).To(MatchError(ContainSubstring("run already")))

	clients, err := kubernetes.NewForConfig(plane.Config())
	g.Expect(err).NotTo(HaveOccurred())
	_, err = clients.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	run := running{plane: plane, clients: clients, reader: filepath.Join(t.TempDir(), "reader.kubeconfig")}

	t.Run("kubectl reads with the administrator's kubeconfig", run.kubectl)
	t.Run("an owned object goes with its owner", run.ownedGoes)
	t.Run("an object owned by a custom resource goes with it", run.ownedByCustomGoes)
	t.Run("an owner deleted in the foreground waits for what blocks it", run.ownerWaits)
	t.Run("a namespace goes with what is in it", run.namespaceGoes)
	t.Run("a service account may do nothing", run.mayNothing)
	t.Run("a restart keeps data and tokens", run.restart)
	g.Expect(os.ReadFile(audit)).To(ContainSubstring(`"resource":"configmaps"`))
	t.Run("stop leaves nothing behind", run.stop)
}

func (r running) kubectl(t *testing.T) {
	g := NewWithT(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	command := exec.CommandContext(t.Context(), r.plane.Kubectl(), "api-resources", "--api-group=test.example.com")
	command.Env = r.plane.Env()
	out, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(string(out)).To(ContainSubstring("Thing"))
	g.Expect(os.ReadDir(home)).To(BeEmpty(), "planes share no cache")
	g.Expect(fileMode(t, r.plane.Kubeconfig())).To(Equal(os.FileMode(0o600)))
}

func (r running) ownedGoes(t *testing.T) {
	g := NewWithT(t)
	owner := r.createConfigMap(t, "owner")
	r.createConfigMap(t, "owned", metav1.OwnerReference{
		APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID,
	})
	r.createConfigMap(t, "kept")
	maps := r.clients.CoreV1().ConfigMaps(namespace)
	g.Expect(maps.Delete(t.Context(), owner.Name, metav1.DeleteOptions{})).To(Succeed())
	r.expectGone(t, "owned")
	_, err := maps.Get(t.Context(), "kept", metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred())
}

func (r running) ownedByCustomGoes(t *testing.T) {
	g := NewWithT(t)
	const path = "/apis/test.example.com/v1/namespaces/" + namespace + "/things"
	client := r.clients.CoreV1().RESTClient()
	created := &metav1.PartialObjectMetadata{}
	answer, err := client.Post().AbsPath(path).
		Body([]byte(`{"apiVersion":"test.example.com/v1","kind":"Thing","metadata":{"name":"owner"}}`)).
		SetHeader("Content-Type", "application/json").DoRaw(t.Context())
	g.Expect(err).NotTo(HaveOccurred(), string(answer))
	g.Expect(json.Unmarshal(answer, created)).To(Succeed())
	r.createConfigMap(t, "owned-by-thing", metav1.OwnerReference{
		APIVersion: "test.example.com/v1", Kind: "Thing", Name: "owner", UID: created.UID,
	})
	g.Expect(client.Delete().AbsPath(path, "owner").Do(t.Context()).Error()).NotTo(HaveOccurred())
	r.expectGone(t, "owned-by-thing")
}

func (r running) ownerWaits(t *testing.T) {
	g := NewWithT(t)
	owner := r.createConfigMap(t, "waiting")
	blocks := true
	blocker := r.createConfigMap(t, "blocking", metav1.OwnerReference{
		APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID, BlockOwnerDeletion: &blocks,
	})
	maps := r.clients.CoreV1().ConfigMaps(namespace)
	held := []byte(`{"metadata":{"finalizers":["example.com/held"]}}`)
	_, err := maps.Patch(t.Context(), blocker.Name, types.MergePatchType, held, metav1.PatchOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	foreground := metav1.DeletePropagationForeground
	g.Expect(maps.Delete(t.Context(), owner.Name, metav1.DeleteOptions{PropagationPolicy: &foreground})).To(Succeed())
	g.Eventually(func() (*metav1.Time, error) {
		now, err := maps.Get(t.Context(), blocker.Name, metav1.GetOptions{})
		return now.DeletionTimestamp, err
	}, patience, 50*time.Millisecond).ShouldNot(BeNil(), "it is deleted with its owner")
	_, err = maps.Get(t.Context(), owner.Name, metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred(), "the owner waits")
	_, err = maps.Patch(t.Context(), blocker.Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	r.expectGone(t, blocker.Name)
	r.expectGone(t, owner.Name)
}

func (r running) namespaceGoes(t *testing.T) {
	g := NewWithT(t)
	const doomed = "doomed"
	namespaces := r.clients.CoreV1().Namespaces()
	_, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: doomed}}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = r.clients.CoreV1().ConfigMaps(doomed).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "in-it"}}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(namespaces.Delete(t.Context(), doomed, metav1.DeleteOptions{})).To(Succeed())
	g.Eventually(func() bool {
		_, err := namespaces.Get(t.Context(), doomed, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, patience, 50*time.Millisecond).Should(BeTrue())
}

func (r running) mayNothing(t *testing.T) {
	g := NewWithT(t)
	_, err := r.clients.CoreV1().ServiceAccounts(namespace).Create(t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "reader"}}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.plane.ServiceAccountKubeconfig(t.Context(), namespace, "reader", r.reader)).To(Succeed())
	g.Expect(fileMode(t, r.reader)).To(Equal(os.FileMode(0o600)))
	r.expectForbidden(t)

	err = r.plane.ServiceAccountKubeconfig(t.Context(), namespace, "nobody", r.reader+".none")
	g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "got %v", err)
}

func (r running) restart(t *testing.T) {
	g := NewWithT(t)
	before := r.plane.Config()
	watched, err := r.clients.CoreV1().ConfigMaps(namespace).Watch(t.Context(), metav1.ListOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	defer watched.Stop()
	began := time.Now()
	g.Expect(r.plane.RestartAPIServer(t.Context())).To(Succeed())
	t.Logf("restarted in %s", time.Since(began))

	g.Expect(r.plane.Config().Host).To(Equal(before.Host))
	_, err = r.clients.CoreV1().ConfigMaps(namespace).Get(t.Context(), "kept", metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	r.expectForbidden(t)
}

func (r running) stop(t *testing.T) {
	g := NewWithT(t)
	pids := pidsIn(t, r.plane.runDir())
	g.Expect(pids).To(HaveLen(3))
	pids = append(pids, r.plane.guard.command.Process.Pid)
	for _, pid := range pids {
		g.Expect(syscall.Kill(pid, 0)).To(Succeed())
	}
	g.Expect(r.plane.Stop()).To(Succeed())
	for _, pid := range pids {
		g.Expect(syscall.Kill(pid, 0)).To(MatchError(syscall.ESRCH))
	}
	g.Expect(r.plane.dir).NotTo(BeADirectory())
	g.Expect(r.plane.Stop()).To(Succeed())
	g.Expect(r.plane.RestartAPIServer(t.Context())).NotTo(Succeed())
	g.Expect(r.plane.StartControllers(t.Context(), "")).NotTo(Succeed())
}

func (r running) createConfigMap(t *testing.T, name string, owners ...metav1.OwnerReference) *corev1.ConfigMap {
	t.Helper()
	created, err := r.clients.CoreV1().ConfigMaps(namespace).Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: owners}}, metav1.CreateOptions{})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return created
}

func (r running) expectGone(t *testing.T, name string) {
	t.Helper()
	began := time.Now()
	NewWithT(t).Eventually(func() bool {
		_, err := r.clients.CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, patience, 50*time.Millisecond).Should(BeTrue())
	t.Logf("%s was gone after %s", name, time.Since(began))
}

// expectForbidden expects the service account to be known and refused.
func (r running) expectForbidden(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	config, err := clientcmd.BuildConfigFromFlags("", r.reader)
	g.Expect(err).NotTo(HaveOccurred())
	clients, err := kubernetes.NewForConfig(rest.CopyConfig(config))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = clients.CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "got %v", err)
	g.Expect(err).To(MatchError(ContainSubstring("system:serviceaccount:" + namespace + ":reader")))
}

// TestKilledParent expects the components to end with a parent that had no chance to
// stop them.
func TestKilledParent(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "plane")
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	output, err := child.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(child.Start()).To(Succeed())
	line, err := bufio.NewReader(output).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(line).To(Equal("started\n"))
	pids := pidsIn(t, filepath.Join(dir, "run"))
	g.Expect(pids).To(HaveLen(2))

	g.Expect(child.Process.Kill()).To(Succeed())
	_ = child.Wait()
	for _, pid := range pids {
		// A container's first process may never collect orphans, which stay as zombies.
		g.Eventually(func() bool { return runs(pid) }, patience, 50*time.Millisecond).Should(BeFalse())
	}
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	t.Run("no assets", func(t *testing.T) {
		t.Setenv("KUBEBUILDER_ASSETS", "")
		_, err := Start(t.Context(), Options{})
		NewWithT(t).Expect(err).To(MatchError(And(
			ContainSubstring("KUBEBUILDER_ASSETS is not set"), ContainSubstring("hack/controlplane/ensure"))))
	})
	t.Run("no controllers", func(t *testing.T) {
		assets := fakeAssets(t, "exit 0", apiServerName, etcdName, kubectlName)
		_, err := Start(t.Context(), Options{Assets: assets, Controllers: true})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("no controllers")))
	})
	t.Run("a state folder in use", func(t *testing.T) {
		assets := fakeAssets(t, "exit 0", apiServerName, etcdName, kubectlName)
		_, err := Start(t.Context(), Options{Assets: assets, Dir: assets})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("is not empty")))
	})
	t.Run("a component that fails", func(t *testing.T) {
		assets := fakeAssets(t, "echo the disk is on fire; exit 1", apiServerName, etcdName, kubectlName)
		_, err := Start(t.Context(), Options{Assets: assets})
		NewWithT(t).Expect(err).To(MatchError(And(
			HavePrefix("etcd: "), ContainSubstring("the disk is on fire"))))
	})
	t.Run("a context that is over", func(t *testing.T) {
		assets := fakeAssets(t, "exit 0", apiServerName, etcdName, kubectlName)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Start(ctx, Options{Assets: assets})
		NewWithT(t).Expect(errors.Is(err, context.Canceled)).To(BeTrue())
	})
}

// fakeAssets makes a folder of scripts with one body.
func fakeAssets(t *testing.T, body string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		NewWithT(t).Expect(os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700)).To(Succeed())
	}
	return dir
}

// pidsIn reads the process ids that the launchers noted.
func pidsIn(t *testing.T, runDir string) []int {
	t.Helper()
	g := NewWithT(t)
	files, err := filepath.Glob(filepath.Join(runDir, "*.pid"))
	g.Expect(err).NotTo(HaveOccurred())
	var pids []int
	for _, file := range files {
		content, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
		g.Expect(err).NotTo(HaveOccurred())
		pids = append(pids, pid)
	}
	return pids
}

func fileMode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return info.Mode().Perm()
}

// runs reports whether a process is there and not a zombie.
func runs(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}
