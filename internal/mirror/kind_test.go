// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/filled"
)

// fullObjects returns an object of each kind of observation with every field of its status set.
func fullObjects(t *testing.T) map[*Kind]v1alpha1.Observation {
	objects := map[*Kind]v1alpha1.Observation{}
	for _, k := range allKinds {
		objects[k.kind] = k.object()
	}
	for k, o := range objects {
		filled.Fill(t, reflect.ValueOf(k.stored(o)).Elem(), k.Name)
	}
	return objects
}

func TestAStatusDiffersInEveryFieldButWhatTheEngineSets(t *testing.T) {
	t.Parallel()
	for k, o := range fullObjects(t) {
		other := o.DeepCopyObject().(Object)
		eachZeroed(reflect.ValueOf(k.stored(other)).Elem(), "", func(field string) {
			engines := strings.HasPrefix(field, ".Conditions") || field == ".Observed"
			NewWithT(t).Expect(k.same(o, other)).To(Equal(engines), field)
			NewWithT(t).Expect(k.same(other, o)).To(Equal(engines), field)
		})
		NewWithT(t).Expect(k.same(o, other)).To(BeTrue(), "all is as it was")
		NewWithT(t).Expect(*o.Conditions()).To(HaveLen(1), "comparing changes nothing")
	}
}

func TestACopyOfAStatusSharesNothing(t *testing.T) {
	t.Parallel()
	for k, o := range fullObjects(t) {
		other := o.DeepCopyObject().(v1alpha1.Observation)
		*other.Conditions() = nil
		k.copy(other, o)
		NewWithT(t).Expect(k.stored(other)).To(Equal(k.stored(o)))
		(*other.Conditions())[0].Message = "theirs"
		NewWithT(t).Expect((*o.Conditions())[0].Message).NotTo(Equal("theirs"))
	}
}

// eachZeroed calls do for everything in v at any depth, with that set to its zero
// value, and sets it back.
func eachZeroed(v reflect.Value, path string, do func(path string)) {
	if path != "" {
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		v.SetZero()
		do(path)
		v.Set(was)
	}
	switch {
	case v.Type() == reflect.TypeFor[metav1.Time]():
	case v.Kind() == reflect.Pointer:
		eachZeroed(v.Elem(), path+"*", do)
	case v.Kind() == reflect.Slice:
		eachZeroed(v.Index(0), path+"[0]", do)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			eachZeroed(v.Field(i), path+"."+v.Type().Field(i).Name, do)
		}
	}
}

func TestAnEmptyListIsAnAbsentOne(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	a, b := &v1alpha1.KafkaClusterObservation{}, &v1alpha1.KafkaClusterObservation{}
	a.Status.Zones, a.Status.Endpoints, a.Status.Peerings = []string{}, []v1alpha1.KafkaEndpoint{}, []v1alpha1.ConnectionSummary{}
	g.Expect(KafkaCluster.same(a, b)).To(BeTrue())
	g.Expect(KafkaCluster.same(b, a)).To(BeTrue())
	n, m := &v1alpha1.NetworkObservation{}, &v1alpha1.NetworkObservation{}
	n.Status.ZonalSubdomains, n.Status.Zones = map[string]string{}, []v1alpha1.NetworkZone{}
	g.Expect(Network.same(n, m)).To(BeTrue())
	g.Expect(Network.same(m, n)).To(BeTrue())
}

func TestTroubleIsTheAPIsOwnWords(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{{"", "", ""}, {"E1", "", "E1"}, {"", "broken", "broken"}, {"E1", "broken", "E1: broken"}} {
		o := &v1alpha1.PeeringObservation{Status: v1alpha1.PeeringObservationStatus{ErrorCode: c[0], ErrorMessage: c[1]}}
		NewWithT(t).Expect(Peering.Trouble(o)).To(Equal(c[2]), fmt.Sprint(c))
	}
	NewWithT(t).Expect(KafkaCluster.Trouble(&v1alpha1.KafkaClusterObservation{})).To(BeEmpty())
}
