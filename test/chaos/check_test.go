// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	managersName = "system:serviceaccount:" + stage.Namespace + ":" + stage.ServiceAccount
	auditFormat  = `{"stage":"ResponseComplete","verb":%q,"user":{"username":%q},"userAgent":%q,` +
		`"objectRef":{"resource":%q,"subresource":%q,"namespace":"chaos-0","name":%q},` +
		`"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-02T12:00:00.5Z"}` + "\n"
)

func TestTheAuditLogTellsWhoWroteWhat(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	log := &auditLog{path: filepath.Join(t.TempDir(), "audit.log")}
	g.Expect(log.read()).To(BeEmpty(), "the API server has not begun it")
	file, err := os.Create(log.path)
	g.Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	add := func(verb, user, agent, resource, subresource, name string) {
		_, err := fmt.Fprintf(file, auditFormat, verb, user, agent, resource, subresource, name)
		g.Expect(err).NotTo(HaveOccurred())
	}
	add("delete", managersName, "manager/v1", clusters.resource, "", "lkc-1")
	add("delete", "admin", strangerAgent, peerings.resource, "", "p-1")
	add("delete", "admin", "controllers/v1", clusters.resource, "", "lkc-2")
	add("get", managersName, "manager/v1", clusters.resource, "", "lkc-1")
	add("patch", managersName, "manager/v1", "leases", "", "lease")
	_, err = fmt.Fprintf(file, `{"stage":"Resp`)
	g.Expect(err).NotTo(HaveOccurred())
	requests, err := log.read()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(requests).To(HaveLen(3))
	g.Expect(requests[0]).To(Equal(request{noon.Add(500 * time.Millisecond), theManager, "manager/v1", "delete", clusters.resource, "", "chaos-0", "lkc-1", 200}))
	g.Expect(requests[1].by).To(Equal(theStranger))
	g.Expect(requests[2].by).To(Equal(someoneElse))
	g.Expect(log.read()).To(BeEmpty(), "what was read, and a line half written")
}

// watched returns a source with three clusters. One of them was absent for a while.
func watched() *source {
	h := &harness{Stage: &stage.Stage{Cloud: cloudsim.New(cloudsim.Options{})}}
	s := &source{testNamespace: &testNamespace{harness: h, namespace: "chaos-0"}, name: "prod", environment: environment,
		wasAbsent: map[string]bool{"lkc-back": true}, uids: map[string]types.UID{}, now: map[string]types.UID{}}
	for _, id := range []string{"lkc-1", "lkc-2", "lkc-back"} {
		c := cloudsim.Cluster{ID: id}
		c.Spec.Environment.ID = environment
		s.Cloud.PutCluster(c)
		s.uids[id], s.now[id] = types.UID("uid of "+id), types.UID("uid of "+id)
	}
	s.uids["lkc-gone"] = "uid of lkc-gone"
	return s
}

func deletion(by author, verb, name string) request {
	return request{noon, by, "agent", verb, clusters.resource, "", "chaos-0", name, 200}
}

func TestADeletionWithoutAReasonIsFound(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(watched().judgeDeletions(nil)).To(BeEmpty())
	g.Expect(watched().judgeDeletions([]request{
		deletion(theManager, "delete", "lkc-gone"), deletion(theManager, "delete", "lkc-back"), deletion(theStranger, "delete", "lkc-1"),
	})).To(BeEmpty())
	g.Expect(watched().judgeDeletions([]request{deletion(theManager, "delete", "lkc-1")})).To(ConsistOf(ContainSubstring("existed all along")))
	g.Expect(watched().judgeDeletions([]request{deletion(theManager, "deletecollection", "")})).To(ConsistOf(ContainSubstring("existed all along")))
	g.Expect(watched().judgeDeletions([]request{deletion(someoneElse, "delete", "lkc-gone")})).To(ConsistOf(ContainSubstring("deleted by agent")))
	refused := deletion(theManager, "delete", "lkc-1")
	refused.code = 409
	g.Expect(watched().judgeDeletions([]request{refused})).To(BeEmpty())
}

func TestAnotherObjectUnderTheNameIsFound(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := watched()
	s.now["lkc-1"] = "another uid"
	g.Expect(s.judgeDeletions(nil)).To(ConsistOf(ContainSubstring("lkc-1 is no longer the same object")))
	g.Expect(s.judgeDeletions([]request{deletion(theStranger, "delete", "lkc-1")})).To(BeEmpty())
	delete(s.now, "lkc-2")
	g.Expect(s.judgeDeletions([]request{deletion(theStranger, "delete", "lkc-1")})).To(ConsistOf(ContainSubstring("lkc-2 is no longer")))
}

func TestAQuietSyncMayWriteOneStatus(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := watched()
	s.cloudProxy = &cloudProxy{}
	q := &unchangedSync{source: s, from: noon.Add(-time.Second), to: noon.Add(time.Second)}
	status := request{noon, theManager, "manager", "patch", sourceResource, "status", "chaos-0", "prod", 200}
	g.Expect(q.judge([]request{status})).To(BeEmpty())
	g.Expect(q.judge([]request{status, status})).To(ConsistOf(ContainSubstring("2 writes of the source's status in 1 syncs")))
	begins := func(at time.Time) {
		s.cloudProxy.accounts = map[string]*account{"key": {exchanges: []*exchange{{first: true, path: kinds[0].path, environment: s.environment, span: span{at, at}}}}}
	}
	begins(noon.Add(time.Millisecond))
	g.Expect(q.judge([]request{status, status})).To(BeEmpty(), "one tells that the sync waits")
	g.Expect(q.judge([]request{status, status, status})).NotTo(BeEmpty())
	begins(noon.Add(-time.Millisecond))
	g.Expect(q.judge([]request{status, status})).NotTo(BeEmpty(), "the sync had begun")
	write := request{noon, theManager, "manager", "patch", clusters.resource, "status", "chaos-0", "lkc-1", 200}
	g.Expect(q.judge([]request{write})).To(ConsistOf(ContainSubstring("although nothing had changed")))
	write.at = noon.Add(time.Minute)
	g.Expect(q.judge([]request{write})).To(BeEmpty(), "that was later")
	write.at, write.by = noon, theStranger
	g.Expect(q.judge([]request{write})).To(BeEmpty())
}

func TestWritesAreSeenByTheirVersions(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	at := func(uid types.UID, version string) v1alpha1.Observation {
		return &v1alpha1.KafkaClusterObservation{ObjectMeta: metav1.ObjectMeta{Name: "lkc-1", UID: uid, ResourceVersion: version}}
	}
	same := []v1alpha1.Observation{at("a", "1"), at("b", "2")}
	g.Expect(written(same, same)).To(BeEmpty())
	g.Expect(written(same, []v1alpha1.Observation{at("a", "1"), at("b", "3")})).To(HaveLen(1))
	g.Expect(written(same, same[:1])).To(HaveLen(1))
	g.Expect(written(same[:1], same)).To(HaveLen(1))
}

func TestCredentialsAreFoundHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	l := newLeaks()
	l.add(cloudsim.Key{ID: "CKID", Secret: `a/b+c"<d`})
	for _, text := range []string{`key CKID`, `a/b+c"<d`, `?s=a%2Fb%2Bc%22%3Cd`, `a%2Fb+c%22%3Cd`, `{"x":"a/b+c\"\u003cd"}`, `YS9iK2MiPGQ=`, `Basic Q0tJRDphL2IrYyI8ZA==`} {
		g.Expect(l.find([]byte(text))).NotTo(BeEmpty(), text)
	}
	g.Expect(l.find([]byte("nothing of the kind"))).To(BeEmpty())
}

func TestALogIsReadAsItGrows(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	l, path := newLeaks(), filepath.Join(t.TempDir(), "log")
	g.Expect(l.grown(path)).To(BeEmpty())
	g.Expect(os.WriteFile(path, []byte("one sec"), 0o600)).To(Succeed())
	g.Expect(l.grown(path)).To(BeEquivalentTo("one sec"))
	g.Expect(os.WriteFile(path, []byte("one secret"), 0o600)).To(Succeed())
	g.Expect(l.grown(path)).To(ContainSubstring("secret"), "also where it was cut in two")
}
