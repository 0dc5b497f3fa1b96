// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	for i := range items {
		under.put(s.organization, s.id(i), fmt.Sprint("item ", i))
	}
	return s
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
	owner := s.read(ctx)
	annotations := owner.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	owner.SetAnnotations(annotations)
	Expect(k8s.Update(ctx, owner)).To(Succeed())
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
func (s *subject) next(ctx context.Context) (due int) {
	GinkgoHelper()
	return int(s.status(ctx).NextSyncTime.Sub(s.clock.Now()).Seconds())
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
		s.clock.SetTime(next.Add(1e9))
	}
	return s.pass(ctx)
}

// later lets time pass.
func (s *subject) later(seconds int) { s.clock.SetTime(s.clock.Now().Add(1e9 * timeOf(seconds))) }

// options are those of both reconcilers.
func (s *subject) options() *controller.Options { return s.organization.reconciler.Options }

// objects returns the owner's objects, by name.
func (s *subject) objects(ctx context.Context) map[string]client.Object {
	GinkgoHelper()
	list := s.side.list()
	Expect(reader.List(ctx, list, client.InNamespace(s.namespace))).To(Succeed())
	items, err := meta.ExtractList(list)
	Expect(err).NotTo(HaveOccurred())
	objects := map[string]client.Object{}
	for _, item := range items {
		if o := item.(client.Object); o.GetName() != sourceName {
			objects[o.GetName()] = o
		}
	}
	return objects
}

// written returns how many writes of objects do makes, counted by the requests to the API server;
// asked how many requests to the cloud.
func (s *subject) written(do func()) int {
	count := func() (n int) {
		for _, request := range requests.written(s.namespace, s.side.path()) {
			if !isOwners(request) {
				n++
			}
		}
		return n
	}
	before := count()
	do()
	return count() - before
}

func (s *subject) asked(do func()) int { return s.calls(do) }

// put, remove and rename change the cloud.
func (s *subject) put(n int)                 { s.side.put(s.organization, s.id(n), fmt.Sprint("item ", n)) }
func (s *subject) gone(n int)                { s.side.remove(s.organization, s.id(n)) }
func (s *subject) rename(n int, name string) { s.side.put(s.organization, s.id(n), name) }

// fail gives the next listings an answer.
func (s *subject) fail(times int, answer interface{}) { s.cloud.FailNext(s.side.op(), times, handlerOf(answer)) }

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

// restart is that of the manager. What stands before the API server stays there.
func (s *subject) restart() {
	before := s.options().Cluster
	secrets := s.options().Secrets
	s.organization.restart()
	s.options().Cluster, s.options().Secrets = before, secrets
}
