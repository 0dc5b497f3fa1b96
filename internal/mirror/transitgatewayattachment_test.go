// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// newAttachment returns a ready transit gateway attachment's record.
func newAttachment(id, network string) *wire.TransitGatewayAttachment {
	a := &wire.TransitGatewayAttachment{ID: id}
	a.Status.Phase = "READY"
	a.Spec.Cloud.Kind = "AwsTransitGatewayAttachment"
	a.Spec.Network.ID = network
	return a
}

func TestEveryFieldOfATransitGatewayAttachmentIsProjected(t *testing.T) {
	t.Parallel()
	aws := &v1alpha1.AWSTransitGatewayAttachment{TransitGatewayID: "tgw-1", TransitGatewayAttachmentID: "tgw-attach-1", RAMShareARN: "arn:ram",
		Routes: []string{"100.64.0.0/10", "10.0.0.0/8"}}
	for kind, cloud := range map[string]string{"AwsTransitGatewayAttachment": "AWS", "MoonAttachment": "", "": ""} {
		for _, prefix := range []string{"", "networking.v1."} {
			t.Run(prefix+kind, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				o := ProjectTransitGatewayAttachment(&wire.TransitGatewayAttachment{
					ID:       "tgwa-1",
					Metadata: wire.ObjectMeta{Self: "https://self", ResourceName: "crn://a", CreatedAt: "2026-01-01T00:00:00Z"},
					Spec: wire.TransitGatewayAttachmentSpec{DisplayName: "Prod",
						Cloud: wire.TransitGatewayAttachmentCloud{Kind: prefix + kind, RAMShareARN: "arn:ram", TransitGatewayID: "tgw-1",
							Routes: []string{"100.64.0.0/10", "10.0.0.0/8"}},
						Network: wire.Reference{ID: "n-1", Environment: "env-2", ResourceName: "crn://n"}},
					Status: wire.TransitGatewayAttachmentStatus{Phase: "ERROR", ErrorCode: "E1", ErrorMessage: "broken",
						Cloud: wire.TransitGatewayAttachmentStatusCloud{Kind: "AwsTransitGatewayAttachmentStatus", TransitGatewayAttachmentID: "tgw-attach-1"}},
				}).(*v1alpha1.TransitGatewayAttachmentObservation)
				g.Expect(o.Status).To(Equal(v1alpha1.TransitGatewayAttachmentObservationStatus{
					Phase: "ERROR", DisplayName: "Prod", Cloud: cloud, Kind: kind, AWS: aws, ErrorCode: "E1", ErrorMessage: "broken",
					Network:       &v1alpha1.NetworkReference{ID: "n-1", Environment: "env-2", ResourceName: "crn://n"},
					CloudMetadata: v1alpha1.CloudMetadata{ResourceName: "crn://a", Self: "https://self", CreatedAt: day(1)},
				}))
				g.Expect(o.Spec).To(Equal(v1alpha1.TransitGatewayAttachmentObservationSpec{TransitGatewayAttachmentID: "tgwa-1"}))
				labels := map[string]string{"inventory.ccloud.dev/network": "n-1"}
				if cloud != "" {
					labels["inventory.ccloud.dev/cloud"] = cloud
				}
				g.Expect(o.Labels).To(Equal(labels))
				g.Expect(kindOf(o).Trouble(o)).To(Equal("E1: broken"))
			})
		}
	}
}

func TestAnAttachmentOfAnotherCloudIsNotTakenForOneOfAWS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   string
		routes []string
		aws    bool
	}{
		"an unknown kind with nothing of AWS": {"OciGatewayAttachment", []string{"10.0.0.0/8"}, false},
		"AWS's kind alone":                    {"AwsTransitGatewayAttachment", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &wire.TransitGatewayAttachment{ID: "tgwa-1"}
			a.Spec.Cloud.Kind, a.Spec.Cloud.Routes = c.kind, c.routes
			status := ProjectTransitGatewayAttachment(a).(*v1alpha1.TransitGatewayAttachmentObservation).Status
			NewWithT(t).Expect(status.AWS != nil).To(Equal(c.aws))
			NewWithT(t).Expect(status.Kind).To(Equal(c.kind))
		})
	}
}
