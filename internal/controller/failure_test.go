// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func requestFor(o client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)}
}

var _ = Describe("Bad input", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(3, 1)
	})

	// expectFailure checks reason and words of both kinds and of the source, and
	// whether the source waits for a person.
	expectFailure := func(ctx SpecContext, reason string, stalled bool, words ...string) {
		GinkgoHelper()
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/" + reason))
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("False/" + reason))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("False/" + reason))
		for _, word := range words {
			Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring(word))
		}
		waits, retries := w.condition(ctx, v1alpha1.ConditionStalled), w.condition(ctx, v1alpha1.ConditionReconciling)
		if stalled {
			Expect(waits).To(Equal("True/" + reason))
		} else {
			Expect(retries).To(Equal("True/" + reason))
		}
		Expect(w.recorded()).To(ContainElement(And(HavePrefix("Warning "+reason), Not(ContainSubstring(apiSecret)))))
		Expect(w.source(ctx).Status.LastSyncTime).To(BeNil())
	}

	It("no Secret", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		w.reconcile(ctx)
		expectFailure(ctx, v1alpha1.ReasonSecretNotFound, false, `"ccloud"`, "api-key", "api-secret")

		By("going on once it is there")
		w.createSecret(ctx, apiKey, apiSecret)
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	DescribeTable("a Secret without a key", func(ctx SpecContext, key, secret, missing string) {
		w.createSecret(ctx, key, secret)
		Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		w.reconcile(ctx)
		expectFailure(ctx, v1alpha1.ReasonSecretInvalid, false, `"ccloud"`, missing)
		Expect(w.cloud.Calls()).To(BeEmpty())
	},
		Entry("no api-key", "", apiSecret, `"api-key"`),
		Entry("no api-secret", apiKey, "", `"api-secret"`),
		Entry("an empty api-secret", apiKey, " \n", `"api-secret"`),
	)

	DescribeTable("a Secret whose values no request can carry", func(ctx SpecContext, key, secret string, words ...string) {
		w.createSecret(ctx, key, secret)
		Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		w.reconcile(ctx)
		expectFailure(ctx, v1alpha1.ReasonSecretInvalid, false, append(words, `"ccloud"`)...)
		Expect(w.message(ctx, v1alpha1.ConditionReady)).NotTo(ContainSubstring("Credential."), "no name of ours")
		Expect(w.cloud.Calls()).To(BeEmpty())
	},
		Entry("a colon in api-key", "KEY:1", apiSecret, `"api-key"`, "colon"),
		Entry("a control character in api-key", "KEY\x01", apiSecret, `"api-key"`, "control character"),
		Entry("a line break in api-secret", apiKey, "one\ntwo", `"api-secret"`, "control character"),
	)

	It("a Secret with a newline behind its values", func(ctx SpecContext) {
		w.createSecret(ctx, apiKey+"\n", apiSecret+"\n")
		Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	Context("a Secret with keys of other names", func() {
		BeforeEach(func(ctx SpecContext) {
			Expect(k8s.Create(ctx, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: w.namespace},
				StringData: map[string]string{"CONFLUENT_CLOUD_API_KEY": apiKey, "CONFLUENT_CLOUD_API_SECRET": apiSecret, "other": "x"},
			})).To(Succeed())
		})
		use := func(key, secret v1alpha1.SecretKey) func(*v1alpha1.InventorySource) {
			return func(s *v1alpha1.InventorySource) {
				s.Spec.Credentials.APIKey.SecretRef.APIKeyKey, s.Spec.Credentials.APIKey.SecretRef.APISecretKey = key, secret
			}
		}

		It("that the source names", func(ctx SpecContext) {
			Expect(k8s.Create(ctx, w.newSource(use("CONFLUENT_CLOUD_API_KEY", "CONFLUENT_CLOUD_API_SECRET")))).To(Succeed())
			w.reconcile(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		})

		DescribeTable("that the source does not name", func(ctx SpecContext, key, secret v1alpha1.SecretKey, missing string) {
			Expect(k8s.Create(ctx, w.newSource(use(key, secret)))).To(Succeed())
			w.reconcile(ctx)
			expectFailure(ctx, v1alpha1.ReasonSecretInvalid, false, missing, "CONFLUENT_CLOUD_API_KEY, CONFLUENT_CLOUD_API_SECRET, other")
			Expect(w.cloud.Calls()).To(BeEmpty())

			By("going on once it names them, the back-off notwithstanding")
			w.change(ctx, use("CONFLUENT_CLOUD_API_KEY", "CONFLUENT_CLOUD_API_SECRET"))
			w.reconcile(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		},
			Entry("neither", v1alpha1.SecretKey(""), v1alpha1.SecretKey(""), `"api-key"`),
			Entry("the key's only", v1alpha1.SecretKey("CONFLUENT_CLOUD_API_KEY"), v1alpha1.SecretKey(""), `"api-secret"`),
		)

		It("whose values no request can carry", func(ctx SpecContext) {
			w.setSecret(ctx, "unused")
			patch := client.RawPatch("application/merge-patch+json", []byte(`{"stringData":{"other":"one\ntwo"}}`))
			Expect(k8s.Patch(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: w.namespace}}, patch)).To(Succeed())
			Expect(k8s.Create(ctx, w.newSource(use("CONFLUENT_CLOUD_API_KEY", "other")))).To(Succeed())
			w.reconcile(ctx)
			expectFailure(ctx, v1alpha1.ReasonSecretInvalid, false, `"other"`, "control character")
		})
	})

	DescribeTable("a global API key, which is good for clusters alone", func(ctx SpecContext, status int, reason string) {
		w.seed(3, 1)
		w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Global: status})
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("False/" + reason))
		Expect(w.message(ctx, v1alpha1.ConditionPeeringsSynced)).To(And(
			ContainSubstring("listNetworkingV1Peerings"), ContainSubstring("use a Cloud API key or an identity pool")))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/" + reason))
		Expect(w.source(ctx).Status.CredentialBackoff).To(BeNil(), "it is good for something")
		Expect(w.clusters(ctx)).To(HaveLen(3))

		By("being content where no peerings are asked for")
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	},
		Entry("401", http.StatusUnauthorized, v1alpha1.ReasonUnauthenticated),
		Entry("403", http.StatusForbidden, v1alpha1.ReasonForbidden),
	)

	It("a Secret that the operator may not get", func(ctx SpecContext) {
		w.createSource(ctx)
		nobody := rest.CopyConfig(config)
		nobody.Impersonate.UserName = "nobody"
		unprivileged, err := client.New(nobody, client.Options{})
		Expect(err).NotTo(HaveOccurred())
		w.reconciler.APIReader = unprivileged
		w.reconcile(ctx)
		expectFailure(ctx, v1alpha1.ReasonSecretNotFound, false, `"ccloud"`, "may not get Secrets")
	})

	It("a wrong key", func(ctx SpecContext) {
		w.createSecret(ctx, apiKey, "wrong-secret")
		Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		w.reconcile(ctx)
		expectFailure(ctx, v1alpha1.ReasonUnauthenticated, true, "listCmkV2Clusters", "401", "request id", "Cloud API key", "not one scoped to a Kafka cluster")
		Expect(w.message(ctx, v1alpha1.ConditionReady)).NotTo(ContainSubstring("wrong-secret"))
	})

	It("a key without rights", func(ctx SpecContext) {
		w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Forbidden: true})
		w.createSource(ctx)
		w.reconcile(ctx)
		expectFailure(ctx, v1alpha1.ReasonForbidden, true, "listCmkV2Clusters", "403", "user_unauthorized", "request id", "Cloud API key")
	})

	It("an environment that does not exist", func(ctx SpecContext) {
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Environment = "env-nowhere" })
		w.reconcile(ctx)
		expectFailure(ctx, v1alpha1.ReasonForbidden, true, "403", "environment")
	})

	It("an endpoint that is not allowed", func(ctx SpecContext) {
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Endpoint = "https://evil.example.com" })
		w.reconcile(ctx)
		expectFailure(ctx, v1alpha1.ReasonEndpointNotAllowed, true, "https://evil.example.com", "--allowed-endpoints", w.url)
		Expect(w.cloud.Calls()).To(BeEmpty())
	})

	It("a source with no credential", func(ctx SpecContext) {
		source := w.newSource(func(s *v1alpha1.InventorySource) { s.Spec.Credentials = v1alpha1.Credentials{} })
		Expect(k8s.Create(ctx, source)).To(MatchError(ContainSubstring("exactly one member must be set under credentials")))
	})

	It("a change of the environment", func(ctx SpecContext) {
		w.createSource(ctx)
		source := w.source(ctx)
		source.Spec.Environment = "env-other"
		Expect(k8s.Update(ctx, source)).To(MatchError(ContainSubstring("environment is immutable")))
	})
})

var _ = Describe("A cloud in trouble", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(30, 3)
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	// Every answer here is about clusters only, is given to every listing from now
	// on, and must neither delete nor change a single observation.
	page := http.Header{"Content-Type": {"application/json"}}
	DescribeTable("deletes nothing, and says why", func(ctx SpecContext, answer http.Handler, reason string) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.StaleAfter = &metav1.Duration{Duration: 24 * time.Hour} })
		w.reconcile(ctx)
		w.cloud.FailNext(cloudsim.OpListClusters, 1000, answer)
		for range 5 {
			Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		}
		Expect(w.clusters(ctx)).To(HaveLen(30))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/" + reason))
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("False/" + reason))
		Expect(w.condition(ctx, v1alpha1.ConditionPeeringsSynced)).To(Equal("True/Succeeded"), "one kind's failure never stops the other")

		By("recovering")
		w.cloud.ClearFaults()
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	},
		Entry("500", cloudsim.Status(500, "", nil), v1alpha1.ReasonCloudUnavailable),
		Entry("503 with HTML", cloudsim.Status(503, "<html>", http.Header{"Content-Type": {"text/html"}}), v1alpha1.ReasonCloudUnavailable),
		Entry("a reset connection", cloudsim.Reset(), v1alpha1.ReasonCloudUnavailable),
		// The peerings wait for as long; the budget tells real time.
		Entry("429", cloudsim.Status(429, "", http.Header{"Retry-After": {"0"}}), v1alpha1.ReasonRateLimited),
		Entry("400", cloudsim.Status(400, `{"errors":[{"code":"bad"}]}`, page), v1alpha1.ReasonInvalidRequest),
		Entry("401", cloudsim.Status(401, "", nil), v1alpha1.ReasonUnauthenticated),
		Entry("403 that means 401", cloudsim.Status(403, `{"errors":[{"detail":"Invalid API key"}]}`, page), v1alpha1.ReasonUnauthenticated),
		Entry("200 with an empty body", cloudsim.Status(200, "", page), v1alpha1.ReasonMalformedResponse),
		Entry("200 with {}", cloudsim.Status(200, "{}", page), v1alpha1.ReasonMalformedResponse),
		Entry("200 with null", cloudsim.Status(200, "null", page), v1alpha1.ReasonMalformedResponse),
		Entry("200 with HTML", cloudsim.Status(200, "<html>", http.Header{"Content-Type": {"text/html"}}), v1alpha1.ReasonMalformedResponse),
		Entry("200 without data", cloudsim.Status(200, `{"kind":"ClusterList","metadata":{}}`, page), v1alpha1.ReasonMalformedResponse),
		Entry("200 of the wrong kind", cloudsim.Status(200, `{"kind":"PeeringList","metadata":{},"data":[]}`, page), v1alpha1.ReasonMalformedResponse),
		Entry("200 with trailing garbage", cloudsim.Status(200, `{"kind":"ClusterList","metadata":{},"data":[]}x`, page), v1alpha1.ReasonMalformedResponse),
		Entry("fewer items than total_size", cloudsim.Status(200, `{"kind":"ClusterList","metadata":{"total_size":30},"data":[]}`, page), v1alpha1.ReasonIncompleteListing),
		Entry("an item that cannot be read", cloudsim.Status(200, `{"kind":"ClusterList","metadata":{},"data":[{"id":7}]}`, page), v1alpha1.ReasonIncompleteListing),
	)

	It("deletes nothing where a page is cut off", func(ctx SpecContext) {
		w.cloud.FailNext(cloudsim.OpListClusters, 1000, cloudsim.Truncate(w.cloud.Usual(), 3000))
		for range 3 {
			Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		}
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(HavePrefix("False/"))
	})

	It("does not mind one bad answer, and asks again at once", func(ctx SpecContext) {
		w.reconciler.Retry = cloudapi.Retry{Base: time.Millisecond}
		w.cloud.FailNext(cloudsim.OpListClusters, 1, cloudsim.Status(503, "", nil))
		Expect(w.calls(func() { w.sync(ctx) })).To(Equal(3))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("still takes in what it can read of an incomplete listing", func(ctx SpecContext) {
		changed := w.anyCluster()
		w.cloud.FailNext(cloudsim.OpListClusters, 1, cloudsim.Status(200,
			`{"kind":"ClusterList","metadata":{},"data":[{"id":"lkc-odd","spec":7},{"id":"`+changed.ID+`","status":{"phase":"FAILED"}}]}`, page))
		w.sync(ctx)
		Expect(w.clusters(ctx)[changed.ID].Status.Phase).To(Equal("FAILED"))
		Expect(w.clusters(ctx)).To(HaveLen(30))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(ContainSubstring("lkc-odd"))
	})

	It("turns its observations stale, once, and back, once", func(ctx SpecContext) {
		w.cloud.FailNext(cloudsim.OpListClusters, 1000, cloudsim.Status(503, "", nil))
		w.clock.SetTime(w.clock.Now().Add(15*time.Minute - time.Second))
		Expect(w.writes(func() { w.reconcile(ctx) })).To(BeEmpty())
		w.clock.SetTime(w.clock.Now().Add(time.Second))
		Expect(w.writes(func() { w.reconcile(ctx) })).To(HaveLen(30))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
		for _, o := range w.clusters(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))
		}
		for _, o := range w.peerings(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
		}
		w.cloud.ClearFaults()
		Expect(w.writes(func() { w.sync(ctx) })).To(HaveLen(30))
		Expect(w.writes(func() { w.sync(ctx) })).To(BeEmpty())
	})
})

// flaky is a client whose creations fail while it says so.
type flaky struct {
	client.Client
	failing bool
}

func (f *flaky) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if f.failing {
		return errors.New("the API server is out of order")
	}
	return f.Client.Create(ctx, o, opts...)
}

var _ = Describe("A source created again over orphaned observations", func() {
	It("takes them over, and tells when it cannot see them", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(3, 1)
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(k8s.Delete(ctx, w.source(ctx))).To(Succeed()) // No garbage collector runs here.
		for _, o := range w.clusters(ctx) {
			o.OwnerReferences = nil // As the garbage collector leaves them.
			Expect(k8s.Update(ctx, &o)).To(Succeed())
		}
		Expect(k8s.Create(ctx, w.newSource())).To(Succeed())
		w.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: "rotated"})
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Unauthenticated"))
		w.clock.SetTime(w.clock.Now().Add(16 * time.Minute))
		w.reconcile(ctx)
		for _, o := range w.clusters(ctx) {
			Expect(brief(o.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/SourceStale"))
		}
	})
})

var _ = Describe("Pruning", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(10, 2)
		w.createSource(ctx)
		w.reconcile(ctx)
	})

	It("deletes after two complete listings without the object, the second within 15 s", func(ctx SpecContext) {
		gone := w.anyCluster().ID
		Expect(w.cloud.RemoveCluster(gone)).To(Succeed())
		Expect(w.writes(func() { w.sync(ctx) })).To(HaveLen(1))
		Expect(brief(w.clusters(ctx)[gone].Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("False/Missing"))
		Expect(brief(w.clusters(ctx)[gone].Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/Missing"))
		Expect(w.source(ctx).Status.KafkaClusters.Missing).To(BeEquivalentTo(1))
		Expect(w.source(ctx).Status.NextSyncTime.Sub(w.clock.Now())).To(BeNumerically("<=", 15*time.Second))

		Expect(w.writes(func() { w.sync(ctx) })).To(ConsistOf(HavePrefix("DELETE")))
		Expect(w.clusters(ctx)).NotTo(HaveKey(gone))
		Expect(w.source(ctx).Status.KafkaClusters.Missing).To(BeZero())
		Expect(w.source(ctx).Status.NextSyncTime.Sub(w.clock.Now())).To(Equal(5 * time.Minute))
	})

	It("retains where the policy says so", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain })
		gone := w.anyCluster().ID
		Expect(w.cloud.RemoveCluster(gone)).To(Succeed())
		for range 5 {
			w.sync(ctx)
		}
		Expect(brief(w.clusters(ctx)[gone].Status.Conditions, v1alpha1.ConditionObserved)).To(Equal("False/Missing"))
		Expect(w.source(ctx).Status.NextSyncTime.Sub(w.clock.Now())).To(Equal(5*time.Minute), "nothing to confirm")
	})

	It("prunes everything at once where maxPercent is 100", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Prune.MaxPercent = ptr.To[int32](100) })
		for _, c := range w.cloud.Clusters(environment) {
			Expect(w.cloud.RemoveCluster(c.ID)).To(Succeed())
		}
		for range 3 {
			w.sync(ctx)
		}
		Expect(w.clusters(ctx)).To(BeEmpty())
		Expect(w.peerings(ctx)).To(HaveLen(2))
		Expect(w.recorded()).To(ContainElement(ContainSubstring("Deleted observations of kind KafkaCluster: lkc-")))
	})
})
