// SPDX-License-Identifier: Apache-2.0

// Command consumer shows how a controller reads what the inventory operator observes. It
// waits until one Kafka cluster is up, picks its endpoint of one connection type, and keeps
// that in a ConfigMap:
//
//	consumer --namespace=platform --cluster=lkc-12345 --connection-type=PRIVATE_LINK --configmap=kafka
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

func main() {
	var c consumer
	flag.StringVar(&c.namespace, "namespace", "default", "Namespace of the observation and of the ConfigMap.")
	flag.StringVar(&c.cluster, "cluster", "", "ID of the Kafka cluster.")
	flag.StringVar(&c.connectionType, "connection-type", v1alpha1.ConnectionTypePublic, "Connection type of the endpoint.")
	flag.StringVar(&c.configMap, "configmap", "kafka", "Name of the ConfigMap.")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(&c); err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

func run(c *consumer) error {
	if c.cluster == "" {
		return fmt.Errorf("--cluster is not set")
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	return c.start(ctrl.SetupSignalHandler(), config)
}

// consumer keeps the endpoint of one cluster in a ConfigMap.
type consumer struct {
	namespace, cluster, connectionType, configMap string
	client                                        client.Client
}

// start works until the context ends.
func (c *consumer) start(ctx context.Context, config *rest.Config) error {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme,
		// The API server sends this one observation, however many there are.
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{c.namespace: {}},
			ByObject: map[client.Object]cache.ByObject{
				&v1alpha1.KafkaClusterObservation{}: {Field: fields.OneTermEqualSelector("spec.clusterID", c.cluster)},
				&corev1.ConfigMap{}:                 {Field: fields.OneTermEqualSelector("metadata.name", c.configMap)},
			},
		},
		Metrics: metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		return err
	}
	c.client = mgr.GetClient()
	err = ctrl.NewControllerManagedBy(mgr).For(&v1alpha1.KafkaClusterObservation{}).Owns(&corev1.ConfigMap{}).Complete(c)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// Reconcile writes the ConfigMap once the cluster is up, and when its endpoint changes. While
// the observation is not Ready (the cluster is missing, could not be listed for too long, or is
// not up) the ConfigMap stays as it is. Its users need the address even if the operator does not
// know the state of the cluster.
func (c *consumer) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	o := &v1alpha1.KafkaClusterObservation{}
	if err := c.client.Get(ctx, req.NamespacedName, o); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !v1alpha1.IsReady(o) {
		log.FromContext(ctx).Info("Waiting for the cluster", "phase", o.Status.Phase, "observed", o.Status.Observed)
		return reconcile.Result{}, nil // A change of the observation wakes it.
	}
	endpoint, found := o.EndpointOfType(c.connectionType)
	if !found {
		log.FromContext(ctx).Info("The cluster has no endpoint of this connection type", "connectionType", c.connectionType)
		return reconcile.Result{}, nil
	}
	want := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: c.configMap, Namespace: c.namespace,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(o, v1alpha1.GroupVersion.WithKind("KafkaClusterObservation"))}},
		Data: map[string]string{"bootstrap.servers": endpoint.BootstrapServers},
	}
	have := &corev1.ConfigMap{}
	switch err := c.client.Get(ctx, client.ObjectKeyFromObject(want), have); {
	case apierrors.IsNotFound(err):
		return reconcile.Result{}, c.client.Create(ctx, want)
	case err != nil:
		return reconcile.Result{}, err
	case !metav1.IsControlledBy(have, o):
		return reconcile.Result{}, reconcile.TerminalError(fmt.Errorf("ConfigMap %s is someone else's", c.configMap))
	case maps.Equal(have.Data, want.Data):
		return reconcile.Result{}, nil
	}
	have.Data = want.Data
	return reconcile.Result{}, c.client.Update(ctx, have)
}
