// SPDX-License-Identifier: Apache-2.0

package wire

// Peering is one network peering of the API networking/v1.
type Peering struct {
	ID       string        `json:"id"`
	Metadata ObjectMeta    `json:"metadata"`
	Spec     PeeringSpec   `json:"spec"`
	Status   PeeringStatus `json:"status"`
}

// PeeringSpec is the requested configuration of the peering.
type PeeringSpec struct {
	DisplayName string       `json:"display_name"`
	Cloud       PeeringCloud `json:"cloud"`
	Environment Reference    `json:"environment"`
	Network     Reference    `json:"network"`
}

// PeeringCloud describes a peering at its cloud provider: AWS, Azure or Google Cloud. Kind names
// the provider. The fields for the other two providers have no meaning.
type PeeringCloud struct {
	Kind string `json:"kind"`

	Account        string   `json:"account"`
	VPC            string   `json:"vpc"`
	Routes         []string `json:"routes"`
	CustomerRegion string   `json:"customer_region"` // of AWS and of Azure

	Project    string `json:"project"`
	VPCNetwork string `json:"vpc_network"`
	// ImportCustomRoutes is nil if Confluent Cloud does not report this setting.
	ImportCustomRoutes *bool `json:"import_custom_routes"`

	Tenant string `json:"tenant"`
	VNet   string `json:"vnet"`
}

// PeeringStatus is the present state of the peering. ErrorCode and ErrorMessage are empty while
// nothing is wrong.
type PeeringStatus struct {
	Phase        string `json:"phase"`
	ErrorCode    string `json:"error_code"`
	ErrorMessage string `json:"error_message"`
}

// Compact removes empty entries from the list of routes. An empty entry comes from a null in the
// JSON, and null means that there is no value.
func (p *Peering) Compact() {
	p.Spec.Cloud.Routes = compact(p.Spec.Cloud.Routes)
}
