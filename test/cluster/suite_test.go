// SPDX-License-Identifier: Apache-2.0

//go:build e2e

// Package cluster installs the chart with the image of this commit into the cluster of the
// current kubeconfig, which must have nodes, and walks through what a team does with it.
// `make e2e` runs it; hack/e2e says with what.
package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

const (
	root  = "../.."
	chart = root + "/charts/inventory-operator"
	// release is installed in a namespace of the same name.
	release = "inventory-operator-e2e"
	manager = release + "-controller-manager"
	// team has the source and its observations.
	team = release + "-team"
	// cloud has the simulated cloud.
	cloud = release + "-cloud"
	// unlabelled may not read metrics, where the cluster enforces NetworkPolicies.
	unlabelled = release + "-unlabelled"

	// soon bounds what a cluster does at its own pace: pull, schedule, start, stop.
	soon = 3 * time.Minute
	tick = 500 * time.Millisecond
)

func TestCluster(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(soon)
	SetDefaultEventuallyPollingInterval(tick)
	RunSpecs(t, "the operator in a cluster with nodes")
}

// cluster is what the current kubeconfig leads to.
type cluster struct {
	client.Client
	kubernetes.Interface
}

// connect returns clients of the current kubeconfig's cluster.
func connect() *cluster {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	Expect(err).NotTo(HaveOccurred(), "KUBECONFIG leads to a cluster")
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	types := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
		Expect(add(types)).To(Succeed())
	}
	objects, err := client.New(config, client.Options{Scheme: types})
	Expect(err).NotTo(HaveOccurred())
	clients, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	return &cluster{objects, clients}
}

// helm runs helm on the release. What it prints is in the error.
func helm(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, filepath.Join(root, "hack", "tools", "run"), append([]string{"helm", "--namespace", release}, args...)...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("helm %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// image returns the full name of one of the images of this commit.
func image(name string) string { return repository(name) + ":" + tag() }

// tag is that of every image of this commit.
func tag() string { return setting("E2E_TAG", "e2e") }

// repository returns an image's name without its tag.
func repository(name string) string { return setting("E2E_REPOSITORY", "localhost") + "/" + name }

// setting returns an environment variable, or what it is if not set.
func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// namespace makes a namespace that enforces the Pod Security Standard restricted.
func (c *cluster) namespace(ctx context.Context, name string, labels map[string]string) {
	GinkgoHelper()
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	for key, value := range labels {
		made.Labels[key] = value
	}
	Expect(c.Create(ctx, made)).To(Succeed())
	Eventually(ctx, func() error {
		return c.Get(ctx, client.ObjectKey{Namespace: name, Name: "default"}, &corev1.ServiceAccount{})
	}).Should(Succeed())
}

// restricted is a pod of one container as the Pod Security Standard restricted wants it.
func restricted(image string, args ...string) corev1.PodSpec {
	yes, no := true, false
	return corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   &yes,
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name: "main", Image: image, Args: args, ImagePullPolicy: corev1.PullIfNotPresent,
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: &no,
				ReadOnlyRootFilesystem:   &yes,
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
	}
}

// probe asks a URL from a pod in a namespace, and returns the exit status of the command
// probe and what it printed.
func (c *cluster) probe(ctx context.Context, namespace string, args ...string) (status int32, printed string) {
	GinkgoHelper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "probe-"}, Spec: restricted(image("probe"), args...)}
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	Expect(c.Create(ctx, pod)).To(Succeed())
	Eventually(ctx, func(g Gomega) {
		g.Expect(c.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		g.Expect(pod.Status.ContainerStatuses).NotTo(BeEmpty())
		g.Expect(pod.Status.ContainerStatuses[0].State.Terminated).NotTo(BeNil())
	}).Should(Succeed())
	logs, err := c.CoreV1().Pods(namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	return pod.Status.ContainerStatuses[0].State.Terminated.ExitCode, string(logs)
}

// tell prints the state of all pods of the walk and the ends of their logs.
func (c *cluster) tell(ctx context.Context) {
	lines := int64(30)
	for _, namespace := range []string{release, cloud, team} {
		pods, err := c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			GinkgoLogr.Error(err, "listing pods")
			continue
		}
		for _, pod := range pods.Items {
			GinkgoWriter.Printf("pod %s/%s: %s %v\n", namespace, pod.Name, pod.Status.Phase, pod.Status.ContainerStatuses)
			logs, err := c.CoreV1().Pods(namespace).GetLogs(pod.Name, &corev1.PodLogOptions{TailLines: &lines}).DoRaw(ctx)
			GinkgoWriter.Printf("%s%v\n", logs, err)
		}
		events, err := c.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			continue
		}
		for _, event := range events.Items {
			if event.Type != corev1.EventTypeNormal {
				GinkgoWriter.Printf("event %s %s: %s\n", event.InvolvedObject.Name, event.Reason, event.Message)
			}
		}
	}
}

// gone expects an object to be removed soon.
func (c *cluster) gone(ctx context.Context, object client.Object) {
	GinkgoHelper()
	Expect(client.IgnoreNotFound(c.Delete(ctx, object))).To(Succeed())
	Eventually(ctx, func() bool {
		return apierrors.IsNotFound(c.Get(ctx, client.ObjectKeyFromObject(object), object))
	}).Should(BeTrue(), "%T %s is removed", object, object.GetName())
}
