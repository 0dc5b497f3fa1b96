// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// subject is an owner under test with the objects of its one kind: a source that mirrors clusters
// alone, or a discovery. One listing of either is one request, so that specs of what both do assert
// the same numbers.
type subject struct {
	*organization
	side side
}

// side is what is the owner's own way.
type side interface {
	// owner returns a new owner that prunes, not created yet.
	owner(o *organization, name string) client.Object
	// fields returns the places of what both kinds of owner have.
	fields(owner client.Object) fields
	reconciler(o *organization) *controller.Reconciler
	// put adds an item to the cloud, or renames it. remove takes it out.
	put(o *organization, id, displayName string)
	remove(o *organization, id string)
	// op lists the kind.
	op() cloudsim.Op
	// list returns an empty list of the kind's objects, path a part of the paths of their writes.
	list() client.ObjectList
	path() string
	// creation is how many writes it takes to create an object.
	creation() int
	// stranger returns an object of someone else's that has an item's name, not created yet.
	stranger(o *organization, id string) client.Object
	// shownName returns the display name that an object shows.
	shownName(client.Object) string
	// spoil changes what the operator wrote of an object, as a stranger may.
	spoil(ctx context.Context, o client.Object) error
}

// fields are places in an owner.
type fields struct {
	interval, timeout **metav1.Duration
	suspend           *bool
	secret            *string
	prune             *v1alpha1.Prune
	labels            *map[string]v1alpha1.LabelValue // of the template
	annotations       *map[string]string              // of the template
	status            *v1alpha1.SyncStatus
	summary           **v1alpha1.InventorySummary
}

// eachOwner declares the same specs for a source and for a discovery.
func eachOwner(text string, specs func(under side)) bool {
	return Describe(text, func() {
		Context("of a source", func() { specs(sourceSide{}) })
		Context("of a discovery", func() { specs(discoverySide{}) })
	})
}

// newSubject makes a world with an owner that is not created yet, and so many items in the cloud.
func newSubject(ctx context.Context, under side, items int) *subject {
	GinkgoHelper()
	s := &subject{organization: newOrganization(ctx), side: under}
	if under.op() == cloudsim.OpListEnvironments { // A listing may be empty.
		Expect(s.cloud.RemoveEnvironment(environment)).To(Succeed())
	}
	for i := range items {
		under.put(s.organization, s.id(i), fmt.Sprint("item ", i))
	}
	return s
}

// mostReady is the largest length of Ready's message if it quotes a long text. A source has the
// whole message in the condition of the kind; a discovery only has Ready.
func (s *subject) mostReady() int {
	if s.side.op() == cloudsim.OpListEnvironments {
		return 2048
	}
	return 320
}

// id returns the ID of an item, which is its object's name.
func (*subject) id(n int) string { return fmt.Sprintf("item-%02d", n) }

// create creates the owner.
func (s *subject) create(ctx context.Context, changes ...func(fields)) {
	GinkgoHelper()
	s.createNamed(ctx, sourceName, changes...)
}

// createNamed creates another owner beside it.
func (s *subject) createNamed(ctx context.Context, name string, changes ...func(fields)) {
	GinkgoHelper()
	owner := s.side.owner(s.organization, name)
	for _, change := range changes {
		change(s.side.fields(owner))
	}
	Expect(k8s.Create(ctx, owner)).To(Succeed())
}

// read returns the owner, as the API server has it.
func (s *subject) read(ctx context.Context) client.Object { return s.readNamed(ctx, sourceName) }

func (s *subject) readNamed(ctx context.Context, name string) client.Object {
	GinkgoHelper()
	owner := s.side.owner(s.organization, name)
	Expect(reader.Get(ctx, client.ObjectKeyFromObject(owner), owner)).To(Succeed())
	return owner
}

// edit changes the owner's spec or status, annotate an annotation of it.
func (s *subject) edit(ctx context.Context, change func(fields)) {
	GinkgoHelper()
	owner := s.read(ctx)
	change(s.side.fields(owner))
	Expect(k8s.Update(ctx, owner)).To(Succeed())
}

func (s *subject) editStatus(ctx context.Context, change func(fields)) {
	GinkgoHelper()
	owner := s.read(ctx)
	change(s.side.fields(owner))
	Expect(k8s.Status().Update(ctx, owner)).To(Succeed())
}

func (s *subject) annotate(ctx context.Context, key, value string) {
	GinkgoHelper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, key, value)
	Expect(k8s.Patch(ctx, s.read(ctx), client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
}

// status and summary are the owner's.
func (s *subject) status(ctx context.Context) *v1alpha1.SyncStatus {
	GinkgoHelper()
	return s.side.fields(s.read(ctx)).status
}

func (s *subject) summary(ctx context.Context) *v1alpha1.InventorySummary {
	GinkgoHelper()
	return *s.side.fields(s.read(ctx)).summary
}

// condition returns a condition as "Status/Reason", says its message.
func (s *subject) condition(ctx context.Context, conditionType string) string {
	GinkgoHelper()
	return brief(s.status(ctx).Conditions, conditionType)
}

func (s *subject) ready(ctx context.Context) string {
	GinkgoHelper()
	return s.condition(ctx, v1alpha1.ConditionReady)
}

func (s *subject) says(ctx context.Context, conditionType string) string {
	GinkgoHelper()
	c := meta.FindStatusCondition(s.status(ctx).Conditions, conditionType)
	Expect(c).NotTo(BeNil())
	return c.Message
}

// next returns how long from now the next sync is due.
func (s *subject) next(ctx context.Context) time.Duration {
	GinkgoHelper()
	return s.status(ctx).NextSyncTime.Sub(s.clock.Now())
}

// try reconciles the owner once, pass holds what is there to the rules beside, sync lets time pass
// until the next sync is due before.
func (s *subject) try(ctx context.Context) (reconcile.Result, error) {
	return s.tryNamed(ctx, sourceName)
}

func (s *subject) tryNamed(ctx context.Context, name string) (reconcile.Result, error) {
	return s.side.reconciler(s.organization).Reconcile(ctx, requestFor(s.side.owner(s.organization, name)))
}

func (s *subject) pass(ctx context.Context) reconcile.Result {
	GinkgoHelper()
	result, err := s.try(ctx)
	Expect(err).NotTo(HaveOccurred())
	s.expectSane(ctx)
	return result
}

func (s *subject) sync(ctx context.Context) reconcile.Result {
	GinkgoHelper()
	s.options().Budgets = budget.New(1000, 1000)
	if next := s.status(ctx).NextSyncTime; next != nil {
		s.clock.SetTime(next.Add(time.Second))
	}
	return s.pass(ctx)
}

// later lets time pass.
func (s *subject) later(d time.Duration) { s.clock.SetTime(s.clock.Now().Add(d)) }

// options are those of both reconcilers.
func (s *subject) options() *controller.Options { return s.reconciler.Options }

// objects returns the owner's objects, by name.
func (s *subject) objects(ctx context.Context) map[string]client.Object {
	GinkgoHelper()
	list := s.side.list()
	Expect(reader.List(ctx, list, client.InNamespace(s.namespace))).To(Succeed())
	items, err := meta.ExtractList(list)
	Expect(err).NotTo(HaveOccurred())
	objects := map[string]client.Object{}
	for _, item := range items {
		o := item.(client.Object)
		objects[o.GetName()] = o
	}
	return objects
}

// written returns how many writes of objects do makes, counted by the requests to the API server;
// asked how many requests to the cloud.
func (s *subject) written(do func()) int {
	count := func() int { return len(requests.written(s.namespace, s.side.path())) }
	before := count()
	do()
	return count() - before
}

func (s *subject) asked(do func()) int { return s.calls(do) }

// put, gone and rename change the cloud.
func (s *subject) put(n int)                 { s.rename(n, fmt.Sprint("item ", n)) }
func (s *subject) gone(n int)                { s.side.remove(s.organization, s.id(n)) }
func (s *subject) rename(n int, name string) { s.side.put(s.organization, s.id(n), name) }

// fail gives the next listings an answer, 1000 times none that goes.
func (s *subject) fail(times int, answer http.Handler) { s.cloud.FailNext(s.side.op(), times, answer) }

// delete deletes an object as a stranger does, and has the watch report it; spoil changes one.
func (s *subject) delete(ctx context.Context, n int) {
	GinkgoHelper()
	o := s.objects(ctx)[s.id(n)]
	Expect(k8s.Delete(ctx, o.DeepCopyObject().(client.Object))).To(Succeed())
	s.side.reconciler(s.organization).Drift(0).Delete(event.DeleteEvent{Object: o})
}

func (s *subject) spoil(ctx context.Context, n int) {
	GinkgoHelper()
	o := s.objects(ctx)[s.id(n)]
	before := o.DeepCopyObject().(client.Object)
	Expect(s.side.spoil(ctx, o)).To(Succeed())
	s.side.reconciler(s.organization).Drift(0).Update(event.UpdateEvent{ObjectOld: before, ObjectNew: o})
}

// seen waits until the watch has brought a version of the Secret.
func (s *subject) seen(ctx context.Context, version string) {
	GinkgoHelper()
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	Eventually(ctx, func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: secretName}, secret)).To(Succeed())
		g.Expect(secret.ResourceVersion).To(Equal(version))
	}).Should(Succeed())
}

// restart is that of the manager. What stands before the API server stays there.
func (s *subject) restart() {
	before := s.options().Cluster
	secrets := s.options().Secrets
	s.organization.restart()
	s.options().Cluster, s.options().Secrets = before, secrets
}

// sourceSide is a source that mirrors clusters alone, and never turns stale.
type sourceSide struct{}

func (sourceSide) owner(o *organization, name string) client.Object {
	return o.newSource(func(s *v1alpha1.InventorySource) {
		s.Name, s.Spec.Peerings.Policy, s.Spec.StaleAfter = name, v1alpha1.MirrorPolicyIgnore, &metav1.Duration{Duration: 10_000 * time.Hour}
		if name != sourceName { // The names of its objects are the first one's.
			s.Spec.KafkaClusters.Networks = []v1alpha1.Identifier{"n-none"}
		}
	})
}

func (sourceSide) fields(owner client.Object) fields {
	s := owner.(*v1alpha1.InventorySource)
	return fields{&s.Spec.Interval, &s.Spec.Timeout, &s.Spec.Suspend, &s.Spec.Credentials.APIKey.SecretRef.Name, &s.Spec.Prune,
		&s.Spec.Template.Labels, &s.Spec.Template.Annotations, &s.Status.SyncStatus, &s.Status.KafkaClusters}
}

func (sourceSide) reconciler(o *organization) *controller.Reconciler { return o.reconciler }

func (sourceSide) put(o *organization, id, displayName string) {
	o.cloud.PutCluster(cloudsim.Cluster{ID: id, Spec: cloudsim.ClusterSpec{DisplayName: displayName,
		Environment: cloudsim.Reference{ID: environment}}, Status: cloudsim.ClusterStatus{Phase: cloudsim.PhaseProvisioned}})
}

func (sourceSide) remove(o *organization, id string) { Expect(o.cloud.RemoveCluster(id)).To(Succeed()) }
func (sourceSide) op() cloudsim.Op                   { return cloudsim.OpListClusters }
func (sourceSide) list() client.ObjectList           { return &v1alpha1.KafkaClusterObservationList{} }
func (sourceSide) path() string                      { return "/kafkaclusterobservations" }
func (sourceSide) creation() int                     { return 2 } // And its status.
func (sourceSide) shownName(o client.Object) string {
	return o.(*v1alpha1.KafkaClusterObservation).Status.DisplayName
}
func (sourceSide) spoil(ctx context.Context, o client.Object) error {
	o.(*v1alpha1.KafkaClusterObservation).Status.DisplayName = "spoilt"
	return k8s.Status().Update(ctx, o)
}

func (sourceSide) stranger(o *organization, id string) client.Object {
	return &v1alpha1.KafkaClusterObservation{ObjectMeta: theirs(o, id),
		Spec: v1alpha1.KafkaClusterObservationSpec{ClusterID: id, ObservationOrigin: v1alpha1.ObservationOrigin{
			SourceRef: v1alpha1.LocalReference{Name: sourceName}, Environment: environment}}}
}

// theirs is the metadata of an object that ConfigMap someone controls.
func theirs(o *organization, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: o.namespace, OwnerReferences: []metav1.OwnerReference{{
		APIVersion: "v1", Kind: "ConfigMap", Name: "someone", UID: "0f5f0c9e", Controller: ptr.To(true)}}}
}

// discoverySide is a discovery that keeps sources and prunes them.
type discoverySide struct{}

func (discoverySide) stranger(o *organization, id string) client.Object {
	return o.newSource(func(s *v1alpha1.InventorySource) { s.ObjectMeta, s.Spec.Environment = theirs(o, id), id })
}

func (discoverySide) owner(o *organization, name string) client.Object {
	d := &v1alpha1.EnvironmentDiscovery{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: o.namespace},
		Spec: v1alpha1.EnvironmentDiscoverySpec{
			Endpoint: o.url, Credentials: o.newSource().Spec.Credentials, Interval: &metav1.Duration{Duration: 5 * time.Minute},
			Prune:    v1alpha1.SourcePrune{Policy: v1alpha1.PrunePolicyDelete},
			Selector: v1alpha1.EnvironmentSelector{Exclude: identified(environment)},
		},
	}
	if name != sourceName {
		d.Spec.Selector.EnvironmentMatch = identified("env-none")
	}
	return d
}

func (discoverySide) fields(owner client.Object) fields {
	d := owner.(*v1alpha1.EnvironmentDiscovery)
	return fields{&d.Spec.Interval, &d.Spec.Timeout, &d.Spec.Suspend, &d.Spec.Credentials.APIKey.SecretRef.Name, (*v1alpha1.Prune)(&d.Spec.Prune),
		&d.Spec.Template.Metadata.Labels, &d.Spec.Template.Metadata.Annotations, &d.Status.SyncStatus, &d.Status.Environments}
}

func (discoverySide) reconciler(o *organization) *controller.Reconciler { return o.discoverer }
func (discoverySide) put(o *organization, id, displayName string)       { o.environments(id, displayName) }
func (discoverySide) remove(o *organization, id string) {
	Expect(o.cloud.RemoveEnvironment(id)).To(Succeed())
}
func (discoverySide) op() cloudsim.Op         { return cloudsim.OpListEnvironments }
func (discoverySide) list() client.ObjectList { return &v1alpha1.InventorySourceList{} }
func (discoverySide) path() string            { return "/inventorysources" }
func (discoverySide) creation() int           { return 1 }
func (discoverySide) shownName(o client.Object) string {
	return o.GetAnnotations()[v1alpha1.AnnotationEnvironmentName]
}
func (discoverySide) spoil(ctx context.Context, o client.Object) error {
	o.(*v1alpha1.InventorySource).Spec.Suspend = true
	return k8s.Update(ctx, o)
}

// every sets an owner's interval.
func every(d time.Duration) func(fields) {
	return func(f fields) { *f.interval = &metav1.Duration{Duration: d} }
}

func suspended(is bool) func(fields) { return func(f fields) { *f.suspend = is } }

// replacing answers as the cloud does, but for one text.
func replacing(w *world, old, replacement string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		w.cloud.Usual().ServeHTTP(recorder, r)
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write([]byte(strings.Replace(recorder.Body.String(), old, replacement, 1)))
	})
}
