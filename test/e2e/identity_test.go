// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const environmentOfTokens = "env-tokens"

var _ = Describe("Workload identity", func() {
	It("needs no stored secret, and a right that is not there by default", func(ctx SpecContext) {
		cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: environmentOfTokens, Clusters: 3, Peerings: 1, Seed: 7})
		namespace := newNamespace(ctx)
		Expect(k8s.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "reader", Namespace: namespace}})).To(Succeed())
		text, err := scene.Kubectl(ctx, "get", "--raw", "/.well-known/openid-configuration")
		Expect(err).NotTo(HaveOccurred())
		var discovery struct{ Issuer string }
		Expect(json.Unmarshal([]byte(text), &discovery)).To(Succeed())
		scene.Cloud.SetProvider(cloudsim.Provider{Issuer: discovery.Issuer, Keys: func(ctx context.Context) ([]byte, error) {
			keys, err := scene.Kubectl(ctx, "get", "--raw", "/openid/v1/jwks")
			return []byte(keys), err
		}})
		scene.Cloud.AddPool(cloudsim.Pool{ID: "pool-xyz", Audience: v1alpha1.DefaultAudience,
			Subjects: []string{"system:serviceaccount:" + namespace + ":reader"}, Environments: []string{environmentOfTokens}})
		// Renewed at every other sync.
		scene.Cloud.SetTokenLife(20*time.Second, 20*time.Second)
		manager := start(ctx, "--zap-log-level=debug")
		createSource(ctx, namespace, func(s *v1alpha1.InventorySource) {
			s.Spec.Environment = environmentOfTokens
			s.Spec.Credentials = v1alpha1.Credentials{WorkloadIdentity: &v1alpha1.WorkloadIdentityCredential{
				IdentityPool: "pool-xyz", ServiceAccountName: "reader", TokenEndpoint: scene.Server.URL + "/sts/v1/oauth2/token"}}
		})
		ready := func(g Gomega) metav1.Condition {
			c := meta.FindStatusCondition(readSource(ctx, g, namespace).Status.Conditions, v1alpha1.ConditionReady)
			g.Expect(c).NotTo(BeNil())
			return *c
		}
		Eventually(ctx, func(g Gomega) {
			g.Expect(ready(g)).To(And(HaveField("Reason", v1alpha1.ReasonServiceAccountTokenFailed), HaveField("Message", ContainSubstring("config/workload-identity"))))
		}).Should(Succeed())

		By("the right being granted, to this ServiceAccount's tokens alone")
		for _, args := range [][]string{
			{"role", "inventory-operator-tokens", "--verb=create", "--resource=serviceaccounts/token", "--resource-name=reader"},
			{"rolebinding", "inventory-operator-tokens", "--role=inventory-operator-tokens", "--serviceaccount=" + stage.Namespace + ":" + stage.ServiceAccount},
		} {
			_, err = scene.Kubectl(ctx, append([]string{"create", "--namespace", namespace}, args...)...)
			Expect(err).NotTo(HaveOccurred())
		}
		Eventually(ctx, func(g Gomega) {
			g.Expect(ready(g).Status).To(Equal(metav1.ConditionTrue))
			g.Expect(clusters(ctx, g, namespace)).To(HaveLen(3))
		}).Should(Succeed())

		By("tokens being renewed, which writes no observation")
		awaitWrites(ctx, namespace, "kafkaclusterobservations", 2*3)
		exchanged := scene.Cloud.Count(cloudsim.OpExchange)
		Eventually(ctx, func() int { return scene.Cloud.Count(cloudsim.OpExchange) }).Should(BeNumerically(">", exchanged))
		awaitSyncs(ctx, namespace, 1)
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(2 * 3))

		By("nothing of a token being told")
		log, err := os.ReadFile(manager.Log)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(log)).NotTo(Or(ContainSubstring("cct."), ContainSubstring("eyJ"), ContainSubstring("Bearer")))
	})
})
