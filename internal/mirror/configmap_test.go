// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// asEnvironment selects names of variables as keys.
var asEnvironment = v1alpha1.KafkaClusterSelection{ConfigMapKeys: v1alpha1.ConfigMapKeysEnvironment}

// selections are all that a source can select.
func selections() (all []v1alpha1.KafkaClusterSelection) {
	for _, keys := range []v1alpha1.ConfigMapKeys{"", v1alpha1.ConfigMapKeysProperties, v1alpha1.ConfigMapKeysEnvironment} {
		for _, content := range []v1alpha1.ConfigMapContent{"", v1alpha1.ConfigMapContentAll, v1alpha1.ConfigMapContentEndpoints} {
			all = append(all, v1alpha1.KafkaClusterSelection{ConfigMapKeys: keys, ConfigMapContent: content})
		}
	}
	return all
}

func TestAConfigMapFitsWhateverTheCloudSays(t *testing.T) {
	t.Parallel()
	o := &v1alpha1.KafkaClusterObservation{}
	o.Spec.ClusterID = "lkc-1"
	for i := range 500 {
		o.Status.Endpoints = append(o.Status.Endpoints, v1alpha1.KafkaEndpoint{
			AccessPointID: fmt.Sprintf("ap%03d", i), BootstrapServers: strings.Repeat("b", maxText)})
	}
	o.Status.Endpoints = append(o.Status.Endpoints, v1alpha1.KafkaEndpoint{AccessPointID: strings.Repeat("x", 250), BootstrapServers: "b"})
	for _, selection := range selections() {
		g := NewWithT(t)
		size := 0
		data := ConfigMap(o, &selection).Data
		for key, value := range data {
			size += len(key) + len(value)
		}
		g.Expect(size).To(And(BeNumerically(">", maxConfigMap-2*maxText), BeNumerically("<=", maxConfigMap)))
		if selection.ConfigMapKeys == v1alpha1.ConfigMapKeysEnvironment {
			g.Expect(data).To(And(HaveKey("AP000_BOOTSTRAP_SERVERS"), Not(HaveKey("AP499_BOOTSTRAP_SERVERS"))))
		} else {
			g.Expect(data).To(And(HaveKey("ap000.bootstrap.servers"), Not(HaveKey("ap499.bootstrap.servers"))))
		}
	}
}

func TestKeysAndContentOfAConfigMap(t *testing.T) {
	t.Parallel()
	o := &v1alpha1.KafkaClusterObservation{
		Status: v1alpha1.KafkaClusterObservationStatus{DisplayName: "orders\nof all", Phase: "PROVISIONED", BootstrapServers: "b:9092", HTTPEndpoint: "https://b",
			Endpoints: []v1alpha1.KafkaEndpoint{{AccessPointID: "PUBLIC", BootstrapServers: "p:9092", HTTPEndpoint: "https://p", ConnectionType: "PUBLIC"}, {AccessPointID: "ap1", BootstrapServers: "a:9092"}}},
	}
	o.Spec.ClusterID, o.Spec.Environment = "lkc-1", "env-1"
	properties := map[string]string{
		"cluster.id": "lkc-1", "environment.id": "env-1", "bootstrap.servers": "b:9092", "http.endpoint": "https://b",
		"PUBLIC.bootstrap.servers": "p:9092", "PUBLIC.http.endpoint": "https://p", "PUBLIC.connection.type": "PUBLIC", "ap1.bootstrap.servers": "a:9092",
	}
	environment := map[string]string{
		"CLUSTER_ID": "lkc-1", "ENVIRONMENT_ID": "env-1", "BOOTSTRAP_SERVERS": "b:9092", "HTTP_ENDPOINT": "https://b",
		"PUBLIC_BOOTSTRAP_SERVERS": "p:9092", "PUBLIC_HTTP_ENDPOINT": "https://p", "PUBLIC_CONNECTION_TYPE": "PUBLIC", "AP1_BOOTSTRAP_SERVERS": "a:9092",
	}
	for _, selection := range selections() {
		want, name, phase := maps.Clone(properties), "display.name", "phase"
		if selection.ConfigMapKeys == v1alpha1.ConfigMapKeysEnvironment {
			want, name, phase = maps.Clone(environment), "DISPLAY_NAME", "PHASE"
		}
		if selection.ConfigMapContent != v1alpha1.ConfigMapContentEndpoints {
			want[name], want[phase] = "orders\nof all", "PROVISIONED"
		}
		NewWithT(t).Expect(ConfigMap(o, &selection).Data).To(Equal(want), "%+v", selection)
	}
}

func TestAValueThatNoProcessCanBeGivenHasNoVariable(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	o := &v1alpha1.KafkaClusterObservation{}
	o.Spec.ClusterID, o.Status.DisplayName = "lkc-1", "a\x00b"
	g.Expect(ConfigMap(o, &asEnvironment).Data).To(Equal(map[string]string{"CLUSTER_ID": "lkc-1"}))
	g.Expect(ConfigMap(o, &v1alpha1.KafkaClusterSelection{}).Data).To(HaveKeyWithValue("display.name", "a\x00b"))
}

// variableOf returns the text for the first of these access points in the names of its variables.
func variableOf(ids ...string) string {
	var endpoints []v1alpha1.KafkaEndpoint
	for _, id := range ids {
		endpoints = append(endpoints, v1alpha1.KafkaEndpoint{AccessPointID: id})
	}
	return variablesOf(endpoints)(ids[0])
}

func TestVariableOfAnAccessPoint(t *testing.T) {
	t.Parallel()
	hash := func(id string) string { return "_" + strings.ToUpper(hashOf(id)) }
	longest := strings.Repeat("a", 235)
	for name, c := range map[string]struct {
		ids  []string
		want string
	}{
		"a reserved one is itself":                   {[]string{"PRIVATE_LINK"}, "PRIVATE_LINK"},
		"lower case goes upper":                      {[]string{"ap3lvnm7"}, "AP3LVNM7"},
		"an underscore may begin it":                 {[]string{"_a"}, "_A"},
		"the longest is itself":                      {[]string{longest}, strings.ToUpper(longest)},
		"too long is cut":                            {[]string{longest + "a"}, strings.Repeat("A", 226) + hash(longest+"a")},
		"other characters become underscores":        {[]string{"a-b.c d/é"}, "A_B_C_D__" + hash("a-b.c d/é")},
		"a digit in front gets an underscore":        {[]string{"1ap"}, "_1AP" + hash("1ap")},
		"only digits":                                {[]string{"12"}, "_12" + hash("12")},
		"nothing is the hash":                        {[]string{""}, hash("")},
		"an upper case that is no ASCII":             {[]string{"ſ\u0131"}, "__" + hash("ſ\u0131")},
		"a line break":                               {[]string{"ap1\n"}, "AP1_" + hash("ap1\n")},
		"bytes that are no text":                     {[]string{"a\xff\x00="}, "A___" + hash("a\xff\x00=")},
		"the end of a hash gets a hash":              {[]string{"ap_1234abcd"}, "AP_1234ABCD" + hash("ap_1234abcd")},
		"one that differs in case from another":      {[]string{"ap1", "AP1"}, "AP1" + hash("ap1")},
		"the other of them":                          {[]string{"AP1", "ap1"}, "AP1" + hash("AP1")},
		"one that differs in another character":      {[]string{"ap_1", "ap-1"}, "AP_1"},
		"the other one, which always has a hash":     {[]string{"ap-1", "ap_1"}, "AP_1" + hash("ap-1")},
		"one that has the hash of another in itself": {[]string{"ap_1" + hash("ap-1"), "ap-1"}, "AP_1" + hash("ap-1") + hash("ap_1"+hash("ap-1"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			NewWithT(t).Expect(variableOf(c.ids...)).To(Equal(c.want))
		})
	}
}

func TestEveryAccessPointHasVariablesOfItsOwnThatAShellTakes(t *testing.T) {
	t.Parallel()
	alike := rapid.OneOf(
		rapid.StringMatching(`[aAbB1._ -]{0,6}`),
		rapid.StringMatching(`(ap|AP|1)[a-zA-Z0-9]{1,3}`),
		rapid.StringMatching(`[aA]{220,260}`),
		rapid.StringOf(rapid.RuneFrom([]rune("aAé\u212aK日-_="))),
		rapid.String(),
		// The name of another ID's variable.
		rapid.Map(rapid.StringMatching(`[aA1._-]{0,4}`), func(id string) string { return variableOf(id) }),
		rapid.Map(rapid.StringMatching(`[aA]{1,2}`), func(id string) string { return variableOf(id, strings.ToLower(id), strings.ToUpper(id)) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		o := &v1alpha1.KafkaClusterObservation{}
		o.Spec.ClusterID = "lkc-1"
		for i, id := range rapid.SliceOfNDistinct(alike, 1, 40, rapid.ID).Draw(t, "ids") {
			o.Status.Endpoints = append(o.Status.Endpoints, v1alpha1.KafkaEndpoint{AccessPointID: id, BootstrapServers: fmt.Sprint(i), HTTPEndpoint: fmt.Sprint(i), ConnectionType: "PUBLIC"})
		}
		data := ConfigMap(o, &asEnvironment).Data
		g.Expect(data).To(HaveLen(1 + 3*len(o.Status.Endpoints)))
		for key := range data {
			g.Expect(key).To(MatchRegexp(`^[A-Z_][A-Z0-9_]*$`))
			g.Expect(validation.IsEnvVarName(key)).To(BeEmpty(), "a kubelet leaves out %q", key)
			g.Expect(validation.IsConfigMapKey(key)).To(BeEmpty())
		}
		// The order of the access points decides nothing.
		slices.Reverse(o.Status.Endpoints)
		g.Expect(ConfigMap(o, &asEnvironment).Data).To(Equal(data))
	})
}

func TestAFurtherAccessPointNeverTakesAVariable(t *testing.T) {
	t.Parallel()
	few := rapid.StringMatching(`[aA][-_1bB]?`)
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(few, 1, 6, rapid.ID).Draw(t, "ids")
		data := func(ids []string) map[string]string {
			o := &v1alpha1.KafkaClusterObservation{}
			for _, id := range ids {
				o.Status.Endpoints = append(o.Status.Endpoints, v1alpha1.KafkaEndpoint{AccessPointID: id, BootstrapServers: id})
			}
			return ConfigMap(o, &asEnvironment).Data
		}
		before, after := data(ids[1:]), data(ids)
		for key, value := range before {
			if now, there := after[key]; there {
				NewWithT(t).Expect(now).To(Equal(value), "%s was that of another access point", key)
			}
		}
	})
}

func TestAConfigMapOfEitherFormIsKnownWithoutItsOwner(t *testing.T) {
	t.Parallel()
	o := &v1alpha1.KafkaClusterObservation{}
	o.Spec.SourceRef.Name, o.Spec.ClusterID, o.Spec.Environment = "prod", "lkc-1", "env-1"
	o.Labels = map[string]string{v1alpha1.LabelSource: "prod"}
	for _, selection := range selections() {
		for name, c := range map[string]struct {
			change func(*corev1.ConfigMap)
			ours   bool
		}{
			"as it was":              {func(*corev1.ConfigMap) {}, true},
			"with a key of others":   {func(c *corev1.ConfigMap) { c.Data["theirs"] = "x" }, true},
			"of another cluster":     {func(c *corev1.ConfigMap) { replace(c.Data, "lkc-1", "lkc-2") }, false},
			"of another environment": {func(c *corev1.ConfigMap) { replace(c.Data, "env-1", "env-2") }, false},
			"of another source":      {func(c *corev1.ConfigMap) { c.Labels[v1alpha1.LabelSource] = "other" }, false},
			"without data":           {func(c *corev1.ConfigMap) { c.Data = nil }, false},
			"with half of a form, half of one": {func(c *corev1.ConfigMap) {
				c.Data = map[string]string{"cluster.id": "lkc-1", "ENVIRONMENT_ID": "env-1"}
			}, false},
		} {
			of := o.DeepCopy()
			made := ConfigMap(of, &selection)
			made.OwnerReferences = nil
			c.change(made)
			NewWithT(t).Expect(OwnsConfigMap(o, made)).To(Equal(c.ours), "%s, %+v", name, selection)
			made.OwnerReferences = []metav1.OwnerReference{{UID: "another", Controller: ptr(true)}}
			NewWithT(t).Expect(OwnsConfigMap(o, made)).To(BeFalse(), "%s, %+v, with another owner", name, selection)
		}
	}
}

// replace puts one value in the place of another.
func replace(data map[string]string, old, value string) {
	for key := range data {
		if data[key] == old {
			data[key] = value
		}
	}
}
