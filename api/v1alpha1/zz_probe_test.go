package v1alpha1_test

import (
	"testing"
	"time"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

func (s *server) probe(t *testing.T) {
	for _, a := range []attempt{
		{"grace", "spec.prune.gracePeriod", "9999999h", ""},
		{"interval max", "spec.interval", "2562047h", ""},
		{"interval dots", "spec.interval", "1h2h", ""},
		{"label dots", "spec.template.labels", map[string]any{"a..b/x": "v"}, ""},
		{"label longprefix", "spec.template.labels", map[string]any{strings.Repeat("a", 260)+"/x": "v"}, ""},
		{"endpoint slash", "spec.endpoint", "https://a/b%zz", ""},
		{"endpoint host", "spec.endpoint", "https://:443", ""},
		{"endpoint port", "spec.endpoint", "https://a:99999", ""},
		{"endpoint @path", "spec.endpoint", "https://a/@b", ""},
		{"endpoint tab", "spec.endpoint", "https://a\tb", ""},
		{"newline", "spec.endpoint", "https://a/\nb", ""},
		{"secretname", "spec.credentials.apiKey.secretRef.name", "UPPER_ /x", ""},
	} {
		err := s.Create(t.Context(), with(minimalSource("probe"), a.path, a.value), client.DryRunAll)
		t.Log(a.name, err)
	}
	bad := with(minimalSource("poison"), "spec.prune.gracePeriod", "9999999h")
	t.Log(s.Create(t.Context(), bad))
	list := &v1alpha1.InventorySourceList{}
	t.Log("typed list:", s.List(t.Context(), list), len(list.Items))
	t.Log(s.Delete(t.Context(), bad))
	for _, at := range []time.Time{time.Date(10000,1,1,0,0,0,0,time.UTC), time.Date(0,1,1,0,0,0,0,time.UTC), {}} {
		o := fullCluster(t)
		o.Namespace, o.Name = namespace, "probe"
		c := o.DeepCopy()
		if err := s.Create(t.Context(), c); err != nil { t.Log(err) }
		c.Status = o.Status
		tt := metav1.NewTime(at)
		c.Status.CreatedAt = &tt
		t.Log(at, s.Status().Update(t.Context(), c), c.Status.CreatedAt)
		t.Log(s.Delete(t.Context(), c))
	}
}
