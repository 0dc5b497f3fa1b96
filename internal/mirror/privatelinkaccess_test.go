// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// newAccess returns a ready private link access's record.
func newAccess(id, network string) *wire.PrivateLinkAccess {
	a := &wire.PrivateLinkAccess{ID: id}
	a.Status.Phase = "READY"
	a.Spec.Cloud.Kind = "AwsPrivateLinkAccess"
	a.Spec.Network.ID = network
	return a
}

func TestEveryFieldOfAPrivateLinkAccessIsProjected(t *testing.T) {
	t.Parallel()
	type status = v1alpha1.PrivateLinkAccessObservationStatus
	for kind, c := range map[string]struct {
		cloud string
		set   func(*status)
	}{
		"AwsPrivateLinkAccess":           {"AWS", func(s *status) { s.AWS = &v1alpha1.AWSPrivateLinkAccess{Account: "000000000000"} }},
		"AzurePrivateLinkAccess":         {"AZURE", func(s *status) { s.Azure = &v1alpha1.AzurePrivateLinkAccess{Subscription: "subscription"} }},
		"GcpPrivateServiceConnectAccess": {"GCP", func(s *status) { s.GCP = &v1alpha1.GCPPrivateServiceConnectAccess{Project: "project"} }},
		"MoonAccess":                     {"", func(*status) {}},
		"":                               {"", func(*status) {}},
	} {
		for _, prefix := range []string{"", "networking.v1."} {
			t.Run(prefix+kind, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				want := status{
					Phase: "FAILED", DisplayName: "Prod", Cloud: c.cloud, Kind: kind, ErrorCode: "E1", ErrorMessage: "broken",
					Network:       &v1alpha1.NetworkReference{ID: "n-1", Environment: "env-2", ResourceName: "crn://n"},
					CloudMetadata: v1alpha1.CloudMetadata{ResourceName: "crn://a", Self: "https://self", CreatedAt: day(1)},
				}
				c.set(&want)
				o := ProjectPrivateLinkAccess(&wire.PrivateLinkAccess{
					ID:       "pla-1",
					Metadata: wire.ObjectMeta{Self: "https://self", ResourceName: "crn://a", CreatedAt: "2026-01-01T00:00:00Z"},
					Spec: wire.PrivateLinkAccessSpec{DisplayName: "Prod",
						Cloud:   wire.PrivateLinkAccessCloud{Kind: prefix + kind, Account: "000000000000", Subscription: "subscription", Project: "project"},
						Network: wire.Reference{ID: "n-1", Environment: "env-2", ResourceName: "crn://n"}},
					Status: wire.PrivateLinkAccessStatus{Phase: "FAILED", ErrorCode: "E1", ErrorMessage: "broken"},
				}).(*v1alpha1.PrivateLinkAccessObservation)
				g.Expect(o.Status).To(Equal(want))
				g.Expect(o.Spec).To(Equal(v1alpha1.PrivateLinkAccessObservationSpec{PrivateLinkAccessID: "pla-1"}))
				g.Expect(kindOf(o).Trouble(o)).To(Equal("E1: broken"))
			})
		}
	}
}

func TestOfAnAccessOfUnknownKindTheMembersTellWhoseSideItIs(t *testing.T) {
	t.Parallel()
	type status = v1alpha1.PrivateLinkAccessObservationStatus
	for name, c := range map[string]struct {
		sent wire.PrivateLinkAccessCloud
		want status
	}{
		"AWS":         {wire.PrivateLinkAccessCloud{Account: "1"}, status{AWS: &v1alpha1.AWSPrivateLinkAccess{Account: "1"}}},
		"Azure":       {wire.PrivateLinkAccessCloud{Subscription: "s"}, status{Azure: &v1alpha1.AzurePrivateLinkAccess{Subscription: "s"}}},
		"GCP":         {wire.PrivateLinkAccessCloud{Project: "p"}, status{GCP: &v1alpha1.GCPPrivateServiceConnectAccess{Project: "p"}}},
		"of no cloud": {wire.PrivateLinkAccessCloud{}, status{}},
		"two at once": {wire.PrivateLinkAccessCloud{Account: "1", Project: "p"}, status{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.sent.Kind, c.want.Kind = "MoonAccess", "MoonAccess"
			o := ProjectPrivateLinkAccess(&wire.PrivateLinkAccess{ID: "pla-1", Spec: wire.PrivateLinkAccessSpec{Cloud: c.sent}})
			NewWithT(t).Expect(o.(*v1alpha1.PrivateLinkAccessObservation).Status).To(Equal(c.want))
		})
	}
}
