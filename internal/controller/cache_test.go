// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
)

// cached returns an observation with labels as a cache keeps it.
func cached(t *testing.T, labels map[string]string) *v1alpha1.KafkaClusterObservation {
	t.Helper()
	var options cache.Options
	controller.SlimCache(&options)
	for object, by := range options.ByObject {
		if _, ok := object.(*v1alpha1.KafkaClusterObservation); ok {
			kept, err := by.Transform(&v1alpha1.KafkaClusterObservation{ObjectMeta: metav1.ObjectMeta{Labels: labels}})
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
			return kept.(*v1alpha1.KafkaClusterObservation)
		}
	}
	t.Fatal("no transform for KafkaClusterObservation")
	return nil
}

func TestObservationsWithTheSameLabelsShareThem(t *testing.T) {
	g := NewWithT(t)
	labels := func() map[string]string { return map[string]string{"a": "1", "b": "2"} }
	one, other := cached(t, labels()).Labels, cached(t, labels()).Labels
	g.Expect(one).To(Equal(labels()))
	g.Expect(reflect.ValueOf(one).Pointer()).To(Equal(reflect.ValueOf(other).Pointer()))
	g.Expect(cached(t, nil).Labels).To(BeNil())
}

func TestObservationsKeepTheirLabels(t *testing.T) {
	g := NewWithT(t)
	g.Expect(cached(t, map[string]string{"a": `1""b"`, "b": ""}).Labels).To(Equal(map[string]string{"a": `1""b"`, "b": ""}))
	g.Expect(cached(t, map[string]string{"a": "1", `"b""`: ""}).Labels).To(Equal(map[string]string{"a": "1", `"b""`: ""}))
	long := func() map[string]string { return map[string]string{"a": strings.Repeat("x", 2000)} }
	one, other := cached(t, long()).Labels, cached(t, long()).Labels
	g.Expect(one).To(Equal(long()))
	g.Expect(reflect.ValueOf(one).Pointer()).NotTo(Equal(reflect.ValueOf(other).Pointer()), "what is long goes with its observation")
	for i := range 3000 { // More than are kept.
		want := map[string]string{"n": fmt.Sprint(i)}
		g.Expect(cached(t, want).Labels).To(Equal(want))
	}
}
