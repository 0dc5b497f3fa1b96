// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// It needs KUBEBUILDER_ASSETS, the folder of a kube-apiserver and an etcd: `make test-all` in the
// repository sets it.
func TestTheEndpointIsKeptOnceTheClusterIsUp(t *testing.T) {
	g := NewWithT(t)
	g.SetDefaultEventuallyTimeout(3 * time.Minute)
	said := gbytes.NewBuffer()
	ctrl.SetLogger(zap.New(zap.WriteTo(io.MultiWriter(said, t.Output()))))
	server := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := server.Start()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = server.Stop() })

	c := &consumer{namespace: "default", cluster: "lkc-1", connectionType: v1alpha1.ConnectionTypePrivateLink, configMap: "kafka"}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- c.start(ctx, config) }()
	defer func() {
		stop()
		g.Expect(<-stopped).To(Succeed())
	}()
	k8s, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v1alpha1.AddToScheme(scheme.Scheme)).To(Succeed())

	kept := func() (map[string]string, error) {
		found := &corev1.ConfigMap{}
		err := k8s.Get(ctx, client.ObjectKey{Namespace: "default", Name: "kafka"}, found)
		return found.Data, client.IgnoreNotFound(err)
	}
	observe := func(o *v1alpha1.KafkaClusterObservation, phase, private string, ready metav1.ConditionStatus) {
		o.Status.Phase = phase
		o.Status.Endpoints = []v1alpha1.KafkaEndpoint{
			{AccessPointID: "ap1", ConnectionType: v1alpha1.ConnectionTypePrivateLink, BootstrapServers: private},
			{AccessPointID: v1alpha1.AccessPointPublic, ConnectionType: v1alpha1.ConnectionTypePublic, BootstrapServers: "public:9092"},
		}
		o.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: ready, Reason: "Test", LastTransitionTime: metav1.Now()}}
		g.Expect(k8s.Status().Update(ctx, o)).To(Succeed())
	}
	created := func(id string) *v1alpha1.KafkaClusterObservation {
		o := &v1alpha1.KafkaClusterObservation{ObjectMeta: metav1.ObjectMeta{Name: id, Namespace: "default"}}
		o.Spec = v1alpha1.KafkaClusterObservationSpec{ClusterID: id, ObservationOrigin: v1alpha1.ObservationOrigin{
			SourceRef: v1alpha1.LocalReference{Name: "prod"}, Environment: "env-1"}}
		g.Expect(k8s.Create(ctx, o)).To(Succeed())
		return o
	}
	other, o := created("lkc-2"), created("lkc-1")
	observe(other, "PROVISIONED", "other:9092", metav1.ConditionTrue)
	observe(o, "PROVISIONING", "one:9092", metav1.ConditionFalse)
	g.Eventually(said).Should(gbytes.Say(`"Waiting for the cluster".*"phase":"PROVISIONING"`))
	g.Expect(kept()).To(BeEmpty())

	observe(o, "PROVISIONED", "one:9092", metav1.ConditionTrue)
	g.Eventually(kept).Should(Equal(map[string]string{"bootstrap.servers": "one:9092"}))

	observe(o, "PROVISIONED", "two:9092", metav1.ConditionTrue)
	g.Eventually(kept).Should(HaveKeyWithValue("bootstrap.servers", "two:9092"))

	// Ready turns Unknown: the ConfigMap stays as it is.
	observe(o, "PROVISIONED", "two:9092", metav1.ConditionUnknown)
	g.Eventually(said).Should(gbytes.Say(`"Waiting for the cluster".*"phase":"PROVISIONED"`))
	g.Expect(kept()).To(HaveKeyWithValue("bootstrap.servers", "two:9092"))

	// Someone deletes it.
	observe(o, "PROVISIONED", "two:9092", metav1.ConditionTrue)
	g.Expect(k8s.Delete(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kafka", Namespace: "default"}})).To(Or(Succeed(), MatchError(apierrors.IsNotFound, "gone")))
	g.Eventually(kept).Should(HaveKeyWithValue("bootstrap.servers", "two:9092"))
}
