// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/test/controlplane"
)

// What all specs share: one API server, and one client with its cache, set up as
// the manager's is. Each spec has a namespace, a simulated cloud and a Reconciler
// of its own.
var (
	config   *rest.Config
	reader   client.Reader
	k8s      client.Client
	requests = &recorder{}
)

func TestController(t *testing.T) {
	RegisterFailHandler(Fail)
	if os.Getenv("GOMEGA_DEFAULT_EVENTUALLY_TIMEOUT") == "" {
		SetDefaultEventuallyTimeout(time.Minute)
	}
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Controller")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true)))
	// A busy machine may answer no ping for a while. A client would give up its connection after 15 s.
	Expect(os.Setenv("HTTP2_PING_TIMEOUT_SECONDS", "300")).To(Succeed())
	plane, err := controlplane.Start(ctx, controlplane.Options{
		CRDPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")},
		Log:      GinkgoWriter,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)

	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	config = plane.Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return requests.around(next) })
	shared, err := cluster.New(config, func(o *cluster.Options) {
		o.Scheme = scheme
		controller.SlimCache(&o.Cache)
		o.Client.Cache = &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)}
	})
	Expect(err).NotTo(HaveOccurred())
	for _, object := range controller.Objects()[1 : 1+everyKind] {
		Expect(controller.IndexBySource(ctx, shared.GetFieldIndexer(), object)).To(Succeed())
	}
	Expect(controller.IndexSecrets(ctx, shared.GetFieldIndexer())).To(Succeed())
	running, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- shared.Start(running) }()
	DeferCleanup(func() {
		stop()
		Expect(<-stopped).To(Succeed())
	})
	Expect(shared.GetCache().WaitForCacheSync(ctx)).To(BeTrue())
	k8s, reader = shared.GetClient(), shared.GetAPIReader()
})
