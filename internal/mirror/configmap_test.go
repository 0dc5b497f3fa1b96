// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

func TestAConfigMapFitsWhateverTheCloudSays(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	o := &v1alpha1.KafkaClusterObservation{}
	o.Spec.ClusterID = "lkc-1"
	for i := range 500 {
		o.Status.Endpoints = append(o.Status.Endpoints, v1alpha1.KafkaEndpoint{
			AccessPointID: fmt.Sprintf("ap%03d", i), BootstrapServers: strings.Repeat("b", maxText)})
	}
	o.Status.Endpoints = append(o.Status.Endpoints, v1alpha1.KafkaEndpoint{AccessPointID: strings.Repeat("x", 250), BootstrapServers: "b"})
	size := 0
	data := ConfigMap(o).Data
	for key, value := range data {
		size += len(key) + len(value)
	}
	g.Expect(size).To(And(BeNumerically(">", maxConfigMap-2*maxText), BeNumerically("<=", maxConfigMap)))
	g.Expect(data).To(And(HaveKey("ap000.bootstrap.servers"), Not(HaveKey("ap499.bootstrap.servers"))))
}
