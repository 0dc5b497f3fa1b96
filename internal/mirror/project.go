// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// cloudMetadata returns the metadata that every object of the API has.
func cloudMetadata(m wire.ObjectMeta) v1alpha1.CloudMetadata {
	return v1alpha1.CloudMetadata{
		ResourceName: m.ResourceName,
		Self:         m.Self,
		CreatedAt:    date(m.CreatedAt),
		UpdatedAt:    date(m.UpdatedAt),
		DeletedAt:    date(m.DeletedAt),
	}
}

// maxYear is the last year that RFC 3339 can express. The Kubernetes API writes times in RFC 3339.
const maxYear = 9999

// date parses an RFC 3339 date. It returns nil for any other text, for the zero date, and for a
// date whose year in UTC is out of RFC 3339's range. It drops the fraction of a second, because the
// Kubernetes API does not store fractions. With a fraction, the stored date would differ from the
// cloud's date, and the operator would write the date again and again.
func date(s string) *metav1.Time {
	t, err := time.Parse(time.RFC3339, lenient(s))
	t = t.UTC().Truncate(time.Second)
	if err != nil || t.IsZero() || t.Year() < 0 || t.Year() > maxYear {
		return nil
	}
	out := metav1.NewTime(t)
	return &out
}

// lenient rewrites a date so that Go can parse it. RFC 3339 allows lower-case t and z, and a leap
// second :60. Go does not parse either of them.
func lenient(s string) string {
	s = strings.ToUpper(s)
	if seconds := len("2006-01-02T15:04:"); len(s) > seconds+2 && s[seconds:seconds+2] == "60" {
		return s[:seconds] + "59" + s[seconds+2:]
	}
	return s
}

// networkReference returns the reference to a network; nil for an object without a network.
func networkReference(r wire.Reference) *v1alpha1.NetworkReference {
	if r.ID == "" {
		return nil
	}
	return &v1alpha1.NetworkReference{ID: r.ID, Environment: r.Environment, ResourceName: r.ResourceName, Related: r.Related}
}

// positive returns a pointer to n; nil if n is 0. The API's numbers begin at 1, so 0 means that the
// API gave no number.
func positive(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}

// kindLabels returns the labels that come from a record. pairs are keys and values in turn. A pair
// is left out if its value is not a valid label value.
func kindLabels(pairs ...string) map[string]string {
	labels := make(map[string]string, len(pairs)/2+2)
	for i := 0; i+1 < len(pairs); i += 2 {
		setLabel(labels, pairs[i], pairs[i+1])
	}
	return labels
}

// hostPort removes the security protocol from bootstrap servers. The API sometimes puts the
// protocol before each server, as in SASL_SSL://host:9092.
func hostPort(bootstrap string) string {
	if !strings.Contains(bootstrap, "://") {
		return bootstrap
	}
	servers := strings.Split(bootstrap, ",")
	for i, server := range servers {
		if _, rest, found := strings.Cut(server, "://"); found {
			servers[i] = rest
		}
	}
	return strings.Join(servers, ",")
}
