// SPDX-License-Identifier: Apache-2.0

// Command controllers runs two of Kubernetes' own controllers against an API server: the
// garbage collector and the namespace controller. It is what tests and the demo need of
// kube-controller-manager, and a third of what that compiles.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
)

// What kube-controller-manager runs them with by default, but for the time between two
// looks at which kinds there are, which is 30 s there.
const (
	collectors      = 20
	namespaceSyncs  = 10
	namespaceResync = 5 * time.Minute
	resync          = 12 * time.Hour
	firstSync       = 30 * time.Second
	look            = 5 * time.Second
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "Path of a kubeconfig of a cluster administrator.")
	ready := flag.String("ready-file", "", "File to create once the garbage collector knows what there is.")
	klog.InitFlags(nil)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *kubeconfig, *ready)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "controllers:", err)
		os.Exit(1)
	}
}

// run runs both controllers until the context ends.
func run(ctx context.Context, kubeconfig, ready string) error {
	if kubeconfig == "" {
		return errors.New("--kubeconfig is not set")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // Nobody else is to be left room for.
	client, objects, err := clientsOf(config, "generic-garbage-collector")
	if err != nil {
		return err
	}
	namespaceClient, namespaceObjects, err := clientsOf(config, "namespace-controller")
	if err != nil {
		return err
	}
	typed := informers.NewSharedInformerFactory(client, resync)
	shared := informerfactory.NewInformerFactory(typed, metadatainformer.NewSharedInformerFactory(objects, resync))
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	started := make(chan struct{})
	collector, err := garbagecollector.NewGarbageCollector(ctx, client, objects, mapper,
		garbagecollector.DefaultIgnoredResources(), shared, started)
	if err != nil {
		return err
	}
	namespaces := namespace.NewNamespaceController(ctx, namespaceClient, namespaceObjects, namespaceClient.Discovery().ServerPreferredNamespacedResources,
		typed.Core().V1().Namespaces(), namespaceResync, corev1.FinalizerKubernetes)

	shared.Start(ctx.Done())
	close(started)
	var running sync.WaitGroup
	running.Go(func() { namespaces.Run(ctx, namespaceSyncs) })
	running.Go(func() { collector.Run(ctx, collectors, firstSync) })
	running.Go(func() { collector.Sync(ctx, client.Discovery(), look) })
	err = announce(ctx, ready, func() bool { return collector.IsSynced(klog.FromContext(ctx)) })
	running.Wait()
	return err
}

// clientsOf returns the clients of a controller, which are one of its own ServiceAccount,
// as in most clusters: the API server grants it that controller's rights and no others,
// and admission policies meet the name they meet there.
func clientsOf(config *rest.Config, controller string) (kubernetes.Interface, metadata.Interface, error) {
	own := rest.CopyConfig(config)
	own.Impersonate.UserName = "system:serviceaccount:" + metav1.NamespaceSystem + ":" + controller
	client, err := kubernetes.NewForConfig(own)
	if err != nil {
		return nil, nil, err
	}
	objects, err := metadata.NewForConfig(own)
	return client, objects, err
}

// announce creates a file once a condition is met.
func announce(ctx context.Context, file string, met func() bool) error {
	if file == "" {
		return nil
	}
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(context.Context) (bool, error) { return met(), nil })
	if err != nil {
		return nil // The context ended before.
	}
	return os.WriteFile(file, nil, 0o600)
}
