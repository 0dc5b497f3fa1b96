// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	poolID      = "pool-xyz"
	accountName = "reader"
)

// trust has the simulated cloud trust the API server, by the issuer that it names and the keys
// that it serves.
func (w *world) trust(ctx context.Context) {
	GinkgoHelper()
	clientset, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	get := func(ctx context.Context, path string) ([]byte, error) {
		return clientset.RESTClient().Get().AbsPath(path).DoRaw(ctx)
	}
	text, err := get(ctx, "/.well-known/openid-configuration")
	Expect(err).NotTo(HaveOccurred())
	var discovery struct{ Issuer string }
	Expect(json.Unmarshal(text, &discovery)).To(Succeed())
	w.cloud.SetProvider(cloudsim.Provider{Issuer: discovery.Issuer,
		Keys: func(ctx context.Context) ([]byte, error) { return get(ctx, "/openid/v1/jwks") }})
	w.cloud.AddPool(cloudsim.Pool{ID: poolID, Audience: v1alpha1.DefaultAudience,
		Subjects: []string{"system:serviceaccount:" + w.namespace + ":" + accountName}})
}

var _ = Describe("Workload identity", func() {
	var w *world
	account := func() *corev1.ServiceAccount {
		return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: accountName, Namespace: w.namespace}}
	}
	identify := func(s *v1alpha1.InventorySource) {
		s.Spec.Credentials = v1alpha1.Credentials{WorkloadIdentity: &v1alpha1.WorkloadIdentityCredential{
			IdentityPool: poolID, ServiceAccountName: accountName, TokenEndpoint: w.url + "/sts/v1/oauth2/token"}}
	}
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.seed(3, 2)
		w.trust(ctx)
		Expect(k8s.Create(ctx, account())).To(Succeed())
		Expect(k8s.Create(ctx, w.newSource(identify))).To(Succeed())
	})
	exchanges := func() int { return w.cloud.Count(cloudsim.OpExchange) }

	It("lists with a token that it was given for a real one of the ServiceAccount, and keeps it", func(ctx SpecContext) {
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.clusters(ctx)).To(HaveLen(3))
		Expect(w.peerings(ctx)).To(HaveLen(2))
		w.sync(ctx)
		Expect(exchanges()).To(Equal(1))
		scope := w.source(ctx).Status.KafkaClusters.Scope

		By("renewing it a minute before its end, which is no new scope")
		w.clock.SetTime(w.clock.Now().Add(14 * time.Minute))
		writes := w.writes(func() { w.reconcile(ctx) })
		Eventually(ctx, exchanges).Should(Equal(2))
		Expect(writes).To(BeEmpty())
		Expect(w.source(ctx).Status.KafkaClusters.Scope).To(Equal(scope))

		By("not keeping it over a restart, nor when the spec names another")
		w.restart()
		w.reconcile(ctx)
		Expect(exchanges()).To(Equal(3))
		Expect(w.source(ctx).Status.KafkaClusters.Scope).To(Equal(scope))
		w.cloud.AddPool(cloudsim.Pool{ID: "pool-other", Audience: v1alpha1.DefaultAudience})
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Credentials.WorkloadIdentity.IdentityPool = "pool-other" })
		w.reconcile(ctx)
		Expect(exchanges()).To(Equal(4))
		Expect(w.source(ctx).Status.KafkaClusters.Scope).NotTo(Equal(scope))
	})

	DescribeTable("lists on with a good token while the token endpoint asks for a wait", func(ctx SpecContext, answer func(rw http.ResponseWriter, r *http.Request)) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Interval = &metav1.Duration{Duration: 10 * time.Second} })
		w.reconcile(ctx)
		w.cloud.Intercept(func(_ int, r *http.Request) http.Handler {
			if r.Method != http.MethodPost {
				return nil
			}
			return http.HandlerFunc(answer)
		})
		w.clock.SetTime(w.clock.Now().Add(14*time.Minute + 5*time.Second))
		before := exchanges()
		w.reconcile(ctx)
		Eventually(ctx, exchanges).Should(BeNumerically(">", before))
		for range 4 {
			w.clock.SetTime(w.clock.Now().Add(11 * time.Second))
			w.reconcile(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
			Expect(w.source(ctx).Status.LastSyncTime.Time).To(BeTemporally("~", w.clock.Now(), 2*time.Second))
		}
	},
		Entry("after 429", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "200")
			rw.WriteHeader(http.StatusTooManyRequests)
		}),
		Entry("with a new token", func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("X-RateLimit-Limit", "5")
			rw.Header().Set("X-RateLimit-Remaining", "0")
			rw.Header().Set("X-RateLimit-Reset", "200")
			w.cloud.Usual().ServeHTTP(rw, r)
		}),
	)

	It("believes how long a token lives, and renews a short one at half its life", func(ctx SpecContext) {
		w.cloud.SetTokenLife(40*time.Second, 40*time.Second)
		w.reconcile(ctx)
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{19 * time.Second, 1}, {2 * time.Second, 2}} {
			w.clock.SetTime(w.clock.Now().Add(step.after))
			w.annotate(ctx, v1alpha1.AnnotationRequestedAt, step.after.String())
			w.reconcile(ctx)
			Eventually(ctx, exchanges).Should(Equal(step.want))
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		}
	})

	It("renews a token that is refused in the middle of a listing, once", func(ctx SpecContext) {
		w.seed(250, 0)
		w.reconcile(ctx)
		revoke := func(times int) func(int, *http.Request) http.Handler {
			return func(_ int, r *http.Request) http.Handler {
				if times > 0 && r.URL.Query().Get("page_token") != "" {
					times--
					w.cloud.RevokeTokens()
				}
				return nil
			}
		}
		w.cloud.Intercept(revoke(1))
		before := exchanges()
		w.sync(ctx)
		Expect(exchanges()).To(Equal(before + 1))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))

		w.cloud.Intercept(revoke(10))
		before = exchanges()
		w.sync(ctx)
		Expect(exchanges()).To(Equal(before + 1))
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("False/Unauthenticated"))
		Expect(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(And(
			ContainSubstring("the identity pool's token was refused although it was just renewed"), Not(ContainSubstring("the Secret"))))
		w.cloud.Intercept(nil)
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("is given another token where one is over earlier than was said", func(ctx SpecContext) {
		w.cloud.SetTokenLife(15*time.Minute, time.Nanosecond)
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/Unauthenticated"))
		Expect(exchanges()).To(BeNumerically("<=", 3), "one for the sync, and one more for each listing at most")
		w.cloud.SetTokenLife(15*time.Minute, 15*time.Minute)
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		w.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	It("waits for a slow exchange no longer than for a listing", func(ctx SpecContext) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Timeout = &metav1.Duration{Duration: time.Second} })
		w.cloud.FailNext(cloudsim.OpExchange, 1, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/CloudUnavailable"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(HavePrefix("exchangeStsV1OauthToken: "))
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})

	DescribeTable("uses a token while it is good where no other can be had", func(ctx SpecContext, fault http.Handler, words string) {
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Timeout = &metav1.Duration{Duration: 3 * time.Second} })
		w.reconcile(ctx)
		w.clock.SetTime(w.clock.Now().Add(14*time.Minute + 30*time.Second))
		w.cloud.FailNext(cloudsim.OpExchange, 10, fault)
		w.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		w.annotate(ctx, v1alpha1.AnnotationRequestedAt, "later")
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/CloudUnavailable"))
		Expect(w.message(ctx, v1alpha1.ConditionReady)).To(HavePrefix("exchangeStsV1OauthToken: " + words))
		Expect(w.clusters(ctx)).To(HaveLen(3))
	},
		Entry("the exchange fails", cloudsim.FaultInternalError, "500"),
		Entry("the exchange hangs", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), "timed out"),
	)

	It("gives no series back to a source that is gone when its exchange ends, for which another waits", func(ctx SpecContext) {
		const series = "ccloud_inventory_cloud_rate_limit_remaining"
		reconciled := func(name string) {
			GinkgoHelper()
			_, err := w.reconciler.Reconcile(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: name}})
			Expect(err).NotTo(HaveOccurred())
		}
		w.cloud.AddEnvironment("env-second")
		Expect(k8s.Create(ctx, w.newSource(identify, func(s *v1alpha1.InventorySource) { s.Name, s.Spec.Environment = "second", "env-second" }))).To(Succeed())
		reconciled(sourceName)
		w.clock.SetTime(w.clock.Now().Add(14 * time.Minute))
		answer := make(chan struct{})
		w.cloud.FailNext(cloudsim.OpExchange, 1, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			<-answer
			cloudsim.Status(http.StatusForbidden, "", http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {"99"}, "X-Ratelimit-Reset": {"1"}}).ServeHTTP(rw, nil)
		}))
		w.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		reconciled(sourceName)
		Eventually(ctx, exchanges).Should(Equal(2), "it is under way")
		Expect(k8s.Delete(ctx, w.source(ctx))).To(Succeed())
		Eventually(ctx, func() error {
			return k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: sourceName}, &v1alpha1.InventorySource{})
		}).ShouldNot(Succeed())
		reconciled(sourceName)
		Expect(w.series(series, "name", sourceName)).To(BeEmpty())

		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		ended := make(chan struct{})
		go func() {
			defer GinkgoRecover()
			defer close(ended)
			reconciled("second")
		}()
		close(answer)
		<-ended
		Expect(w.series(series, "name", sourceName)).To(BeEmpty())
	})

	DescribeTable("says which step failed, and what to check", func(ctx SpecContext, spoil func(SpecContext), reason string, words ...string) {
		spoil(ctx)
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("False/" + reason))
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/" + reason))
		for _, word := range words {
			Expect(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(ContainSubstring(word))
		}
		Expect(w.cloud.Count(cloudsim.OpListClusters)).To(BeZero())
	},
		Entry("no ServiceAccount", func(ctx SpecContext) { Expect(k8s.Delete(ctx, account())).To(Succeed()) },
			v1alpha1.ReasonServiceAccountTokenFailed, `ServiceAccount "reader"`, "does not exist"),
		Entry("no right to ask for tokens", func(SpecContext) {
			nobody := rest.CopyConfig(config)
			nobody.Impersonate.UserName = "nobody"
			unprivileged, err := client.New(nobody, client.Options{})
			Expect(err).NotTo(HaveOccurred())
			w.reconciler.Cluster = tokensAs{k8s, unprivileged}
		}, v1alpha1.ReasonServiceAccountTokenFailed, `ServiceAccount "reader"`, "config/workload-identity"),
		Entry("another audience", func(ctx SpecContext) {
			w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Credentials.WorkloadIdentity.Audience = "somebody-else" })
		}, v1alpha1.ReasonTokenExchangeRefused, "exchangeStsV1OauthToken: 400", "identity provider", "filter", "audience", "request id"),
		Entry("a pool whose filter lets it not through", func(SpecContext) {
			w.cloud.AddPool(cloudsim.Pool{ID: poolID, Audience: v1alpha1.DefaultAudience, Subjects: []string{"system:serviceaccount:other:reader"}})
		}, v1alpha1.ReasonTokenExchangeRefused, "exchangeStsV1OauthToken: 400"),
		Entry("a pool that is not there", func(ctx SpecContext) {
			w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Credentials.WorkloadIdentity.IdentityPool = "pool-none" })
		}, v1alpha1.ReasonTokenExchangeRefused, "exchangeStsV1OauthToken: 400"),
		Entry("keys of another cluster", func(SpecContext) {
			w.cloud.SetProvider(cloudsim.Provider{Issuer: "https://elsewhere", Keys: func(context.Context) ([]byte, error) { return []byte(`{"keys":[]}`), nil }})
		}, v1alpha1.ReasonTokenExchangeRefused, "exchangeStsV1OauthToken: 400"),
		Entry("an endpoint that is not allowed", func(ctx SpecContext) {
			w.change(ctx, func(s *v1alpha1.InventorySource) {
				s.Spec.Credentials.WorkloadIdentity.TokenEndpoint = "https://evil.example.com/sts"
			})
		}, v1alpha1.ReasonEndpointNotAllowed, "spec.credentials.workloadIdentity.tokenEndpoint: origin https://evil.example.com is not allowed"),
		Entry("a cloud that is down", func(SpecContext) { w.cloud.FailNext(cloudsim.OpExchange, 5, cloudsim.FaultInternalError) },
			v1alpha1.ReasonCloudUnavailable, "exchangeStsV1OauthToken: 500"),
		Entry("a cloud that has enough", func(SpecContext) {
			w.cloud.FailNext(cloudsim.OpExchange, 5, cloudsim.Status(http.StatusTooManyRequests, "", http.Header{"Retry-After": {"120"}}))
		}, v1alpha1.ReasonRateLimited, "exchangeStsV1OauthToken: 429"),
		Entry("a portal that answers instead", func(SpecContext) {
			w.cloud.FailNext(cloudsim.OpExchange, 5, cloudsim.Status(http.StatusOK, "<html>", http.Header{"Content-Type": {"text/html"}}))
		}, v1alpha1.ReasonMalformedResponse, "the media type is not JSON"),
	)

	It("asks less and less often while the exchange is refused, and at once when the spec changes", func(ctx SpecContext) {
		w.cloud.AddPool(cloudsim.Pool{ID: poolID, Audience: "other"})
		w.reconcile(ctx)
		w.sync(ctx)
		Expect(w.source(ctx).Status.CredentialBackoff.Delay.Duration).To(Equal(10 * time.Minute))
		Expect(exchanges()).To(Equal(2), "one a sync, whatever the kinds")
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Credentials.WorkloadIdentity.Audience = "other" })
		w.reconcile(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.CredentialBackoff).To(BeNil())
	})

	It("wakes no worker but to ask while the exchange is refused", func(ctx SpecContext) {
		w.cloud.AddPool(cloudsim.Pool{ID: poolID, Audience: "other"})
		passes := 0
		for begun := w.clock.Now(); w.clock.Now().Sub(begun) < time.Hour && passes < 100; passes++ {
			w.reconciler.Budgets = budget.New(1000, 1000)
			w.clock.SetTime(w.clock.Now().Add(w.reconcile(ctx).RequeueAfter))
		}
		Expect(passes).To(Equal(exchanges()))
		Expect(passes).To(BeNumerically("<=", 5), "after 5, 15, 35 and 65 minutes")
	})

	It("shows no token anywhere, not even one that the cloud sends back", func(ctx SpecContext) {
		var seen []string
		w.cloud.Intercept(func(_ int, r *http.Request) http.Handler {
			if r.Method == http.MethodPost {
				Expect(r.ParseForm()).To(Succeed())
				seen = append(seen, r.PostForm.Get("subject_token"))
			} else {
				seen = append(seen, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			}
			if len(seen) == 1 {
				return nil
			}
			last := seen[len(seen)-1]
			return cloudsim.Status(http.StatusTeapot, `{"errors":[{"code":"`+last+`","title":"`+last+`"}]}`, http.Header{"X-Request-Id": {last}})
		})
		w.reconcile(ctx)
		Expect(len(seen)).To(BeNumerically(">=", 2))
		w.cloud.Intercept(func(int, *http.Request) http.Handler {
			return cloudsim.Status(http.StatusBadRequest, `{"errors":[{"title":"`+seen[0]+`"}]}`, nil)
		})
		w.restart()
		w.sync(ctx)
		shown, err := json.Marshal(w.source(ctx))
		Expect(err).NotTo(HaveOccurred())
		all := string(shown) + strings.Join(w.recorded(), "\n") + CurrentSpecReport().CapturedGinkgoWriterOutput
		Expect(all).To(ContainSubstring("[redacted]"))
		for _, token := range seen {
			Expect(token).NotTo(BeEmpty())
			Expect(all).NotTo(ContainSubstring(token))
		}
	})

	It("asks for a token that lives no longer than it must, for the audience alone", func(ctx SpecContext) {
		request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{"x"}, ExpirationSeconds: ptr.To[int64](599)}}
		Expect(k8s.SubResource("token").Create(ctx, account(), request)).NotTo(Succeed(), "the API server gives none that is shorter than ours")
	})
})

// tokensAs is a client that asks for tokens as someone else.
type tokensAs struct {
	client.Client
	other client.Client
}

func (c tokensAs) SubResource(name string) client.SubResourceClient { return c.other.SubResource(name) }
