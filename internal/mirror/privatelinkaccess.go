// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"strings"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// PrivateLinkAccess is the Kind of private link accesses. It has the phases that the cloud API
// networking/v1 defines for a private link access, for example READY.
var PrivateLinkAccess = observationKind(asConnection(Kind{
	Name:        "PrivateLinkAccess",
	Condition:   v1alpha1.ConditionPrivateLinkAccessesSynced,
	ReadyPhase:  "READY",
	OtherPhases: []string{"PROVISIONING", "FAILED", "DEPROVISIONING"},
	content: observationContent(
		func(o *v1alpha1.PrivateLinkAccessObservation) *v1alpha1.PrivateLinkAccessObservationStatus {
			return &o.Status
		},
		func(s *v1alpha1.PrivateLinkAccessObservationStatus) observationParts {
			return observationParts{&s.Conditions, &s.Observed, errorText(s.ErrorCode, s.ErrorMessage)}
		}),
	InfoMetric: "private_link_access_info",
	InfoLabels: []string{"private_link_access_id", "display_name", "phase", "cloud", "network_id"},
	Info: func(o v1alpha1.Observation) []string {
		status := &o.(*v1alpha1.PrivateLinkAccessObservation).Status
		return []string{o.CloudID(), status.DisplayName, status.Phase, status.Cloud, networkID(status.Network)}
	},
}, accessesOfNetworks, func(o *v1alpha1.PrivateLinkAccessObservation) connectionParts {
	return connectionParts{&o.Status.Network, &o.Status.ReachableEndpoints}
}),
	func(s *v1alpha1.MirrorSettings) (selection any, policy v1alpha1.MirrorPolicy) {
		return &s.PrivateLinkAccesses, cmp.Or(s.PrivateLinkAccesses.Policy, v1alpha1.MirrorPolicyIgnore)
	},
	func(s *v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary {
		return &s.PrivateLinkAccesses
	})

// accessesOfNetworks has the private link accesses of each network.
var accessesOfNetworks = newConnections(privateLinkAccessList)

func privateLinkAccessList(c *v1alpha1.NetworkConnections) (*[]v1alpha1.ConnectionSummary, *int32) {
	return &c.PrivateLinkAccesses, &c.PrivateLinkAccessCount
}

// ProjectPrivateLinkAccess converts a private link access from the cloud into an observation. It
// sets no conditions, and no facts about other cloud objects.
func ProjectPrivateLinkAccess(a *wire.PrivateLinkAccess) v1alpha1.Observation {
	o := &v1alpha1.PrivateLinkAccessObservation{}
	o.Spec.PrivateLinkAccessID = a.ID
	o.Status = v1alpha1.PrivateLinkAccessObservationStatus{
		Phase:         a.Status.Phase,
		DisplayName:   a.Spec.DisplayName,
		Kind:          strings.TrimPrefix(a.Spec.Cloud.Kind, networkingKindPrefix),
		Network:       networkReference(a.Spec.Network),
		ErrorCode:     a.Status.ErrorCode,
		ErrorMessage:  a.Status.ErrorMessage,
		CloudMetadata: cloudMetadata(a.Metadata),
	}
	setPrivateLinkCloud(&o.Status, &a.Spec.Cloud)
	o.Labels = kindLabels(v1alpha1.LabelNetwork, a.Spec.Network.ID, v1alpha1.LabelCloud, o.Status.Cloud)
	return o
}

// setPrivateLinkCloud sets status.AWS, status.Azure or status.GCP: the field for the cloud provider
// of the private link access.
//
//   - If status.Kind names a provider, setPrivateLinkCloud also sets status.Cloud.
//   - If not, setPrivateLinkCloud leaves status.Cloud empty, and guesses the provider: c.Account
//     means AWS, c.Subscription means Azure, and c.Project means GCP. If several of them have a
//     value, setPrivateLinkCloud sets nothing.
func setPrivateLinkCloud(status *v1alpha1.PrivateLinkAccessObservationStatus, c *wire.PrivateLinkAccessCloud) {
	aws, azure, gcp := c.Account != "", c.Subscription != "", c.Project != ""
	switch status.Kind {
	case "AwsPrivateLinkAccess":
		status.Cloud, aws, azure, gcp = "AWS", true, false, false
	case "AzurePrivateLinkAccess":
		status.Cloud, aws, azure, gcp = "AZURE", false, true, false
	case "GcpPrivateServiceConnectAccess":
		status.Cloud, aws, azure, gcp = "GCP", false, false, true
	}
	switch {
	case aws && !azure && !gcp:
		status.AWS = &v1alpha1.AWSPrivateLinkAccess{Account: c.Account}
	case azure && !aws && !gcp:
		status.Azure = &v1alpha1.AzurePrivateLinkAccess{Subscription: c.Subscription}
	case gcp && !aws && !azure:
		status.GCP = &v1alpha1.GCPPrivateServiceConnectAccess{Project: c.Project}
	}
}
