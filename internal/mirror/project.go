// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// cloudMetadata converts the metadata that every object in the cloud API has.
func cloudMetadata(m wire.ObjectMeta) v1alpha1.CloudMetadata {
	return v1alpha1.CloudMetadata{
		ResourceName: m.ResourceName,
		Self:         m.Self,
		CreatedAt:    parseDate(m.CreatedAt),
		UpdatedAt:    parseDate(m.UpdatedAt),
		DeletedAt:    parseDate(m.DeletedAt),
	}
}

// maxYear is the last year that RFC 3339 allows. The Kubernetes API stores times in this format.
const maxYear = 9999

// parseDate parses a time in RFC 3339, and drops fractions of a second. It returns nil for a time
// that is invalid, or that the Kubernetes API cannot store.
func parseDate(s string) *metav1.Time {
	t, err := time.Parse(time.RFC3339, lenientDate(s))
	t = t.UTC().Truncate(time.Second)
	if err != nil || t.IsZero() || t.Year() < 0 || t.Year() > maxYear {
		return nil
	}
	out := metav1.NewTime(t)
	return &out
}

// lenientDate rewrites a date so that Go can parse the date. RFC 3339 allows a lower-case t or z,
// and the leap second :60. Go's parser refuses these forms.
func lenientDate(s string) string {
	s = strings.ToUpper(s)
	if seconds := len("2006-01-02T15:04:"); len(s) > seconds+2 && s[seconds:seconds+2] == "60" {
		return s[:seconds] + "59" + s[seconds+2:]
	}
	return s
}

// networkReference converts a reference to a network. It returns nil if the reference has no ID.
func networkReference(r wire.Reference) *v1alpha1.NetworkReference {
	if r.ID == "" {
		return nil
	}
	return &v1alpha1.NetworkReference{ID: r.ID, Environment: r.Environment, ResourceName: r.ResourceName, Related: r.Related}
}

// positiveOrNil returns a pointer to n. It returns nil if n is 0, because then the cloud API gave
// no number.
func positiveOrNil(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}

// kindLabels returns labels for an observation. The arguments are key, value, key, value, and so
// on. kindLabels leaves out labels with an empty or invalid value.
func kindLabels(pairs ...string) map[string]string {
	labels := make(map[string]string, len(pairs)/2+2)
	for i := 0; i+1 < len(pairs); i += 2 {
		setLabel(labels, pairs[i], pairs[i+1])
	}
	return labels
}

// hostPort removes the security protocol from each server in a comma-separated list. For example,
// SASL_SSL://host:9092 becomes host:9092.
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
