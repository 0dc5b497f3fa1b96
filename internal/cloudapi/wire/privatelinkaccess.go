// SPDX-License-Identifier: Apache-2.0

package wire

// PrivateLinkAccess is one private link access of the API networking/v1.
type PrivateLinkAccess struct {
	ID       string                  `json:"id"`
	Metadata ObjectMeta              `json:"metadata"`
	Spec     PrivateLinkAccessSpec   `json:"spec"`
	Status   PrivateLinkAccessStatus `json:"status"`
}

// PrivateLinkAccessSpec is the requested configuration of the access.
type PrivateLinkAccessSpec struct {
	DisplayName string                 `json:"display_name"`
	Cloud       PrivateLinkAccessCloud `json:"cloud"`
	Environment Reference              `json:"environment"`
	Network     Reference              `json:"network"`
}

// PrivateLinkAccessCloud has the fields for AWS, Azure and Google Cloud. Kind names the cloud of
// the access. Only the fields for this cloud have a meaning.
type PrivateLinkAccessCloud struct {
	Kind         string `json:"kind"`
	Account      string `json:"account"`      // of AWS
	Subscription string `json:"subscription"` // of Azure
	Project      string `json:"project"`      // of Google Cloud
}

// PrivateLinkAccessStatus is the present state of the access. ErrorCode and ErrorMessage are empty
// while nothing is wrong.
type PrivateLinkAccessStatus struct {
	Phase        string `json:"phase"`
	ErrorCode    string `json:"error_code"`
	ErrorMessage string `json:"error_message"`
}

// Compact does nothing: a private link access has no lists and no maps.
func (*PrivateLinkAccess) Compact() {}
