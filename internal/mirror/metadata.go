// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Stamp sets the metadata of an observation. In the observation's spec, it sets the source and the
// environment. It keeps the existing labels, replaces the annotations, and shortens long texts in
// the status.
func (k *Kind) Stamp(o v1alpha1.Observation, source *v1alpha1.InventorySource) {
	cutTexts(k.stored(o))
	*o.Origin() = v1alpha1.ObservationOrigin{
		SourceRef:   v1alpha1.LocalReference{Name: source.Name},
		Environment: source.Spec.Environment,
	}
	o.SetName(ObjectName(o.CloudID()))
	o.SetNamespace(source.Namespace)
	o.SetOwnerReferences([]metav1.OwnerReference{*SourceOwner(source).reference()})
	labels, annotations := templatePairs(o.GetLabels(), source.Spec.Template)
	labels[v1alpha1.LabelSource] = LabelValue(source.Name)
	setLabel(labels, v1alpha1.LabelEnvironment, source.Spec.Environment)
	o.SetLabels(labels)
	o.SetAnnotations(annotations)
}

// templatePairs adds the labels of a template to the given labels, and returns all these labels. It
// also returns the annotations of the template, and adds the annotation template-keys, which lists
// all keys of the template.
func templatePairs(labels map[string]string, t v1alpha1.ObservationTemplate) (all, annotations map[string]string) {
	if labels == nil {
		labels = map[string]string{}
	}
	for key, value := range t.Labels {
		labels[key] = string(value)
	}
	annotations = maps.Clone(t.Annotations)
	if keys := templateKeys(t); keys != "" {
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[v1alpha1.AnnotationTemplateKeys] = keys
	}
	return labels, annotations
}

// setLabel sets a label. If the value is empty or invalid, setLabel does nothing, because the API
// server refuses objects with an invalid label.
func setLabel(labels map[string]string, key, value string) {
	if value != "" && len(validation.IsValidLabelValue(value)) == 0 {
		labels[key] = value
	}
}

// LabelValue turns the name of an object into the value of a label. If the name is too long, the
// value is the start of the name, "-" and the first 8 hex digits of the name's SHA-256.
func LabelValue(name string) string {
	if len(name) <= validation.LabelValueMaxLength {
		return name
	}
	return name[:validation.LabelValueMaxLength-hashDigits-1] + "-" + shortHash(name)
}

// templateKeys returns the value of the annotation template-keys. For example, "team,tier;contact"
// has the keys of two labels and of one annotation. templateKeys returns "" for an empty template.
func templateKeys(t v1alpha1.ObservationTemplate) string {
	if len(t.Labels)+len(t.Annotations) == 0 {
		return ""
	}
	labels := slices.Sorted(maps.Keys(t.Labels))
	annotations := slices.Sorted(maps.Keys(t.Annotations))
	return strings.Join(labels, ",") + ";" + strings.Join(annotations, ",")
}

// withStamp returns a copy of an observation with the labels, annotations and ownerReference that
// the source sets. If the observation already has them, withStamp returns the observation itself.
func withStamp(k *Kind, o Object, source *v1alpha1.InventorySource) Object {
	t := source.Spec.Template
	current := metav1.IsControlledBy(o, source) && o.GetAnnotations()[v1alpha1.AnnotationTemplateKeys] == templateKeys(t)
	for key, value := range t.Labels {
		current = current && o.GetLabels()[key] == string(value)
	}
	for key, value := range t.Annotations {
		current = current && o.GetAnnotations()[key] == value
	}
	if current {
		return o
	}
	next := o.DeepCopyObject().(v1alpha1.Observation)
	labels := next.GetLabels()
	maps.DeleteFunc(labels, func(key, _ string) bool { return !strings.HasPrefix(key, v1alpha1.Prefix) })
	k.Stamp(next, source)
	return next
}

// sameMetadata reports whether an existing object has the desired labels, annotations and
// ownerReference. It ignores metadata that someone else added.
func sameMetadata(existing, desired metav1.Object) bool {
	labels, annotations := formerKeys(existing)
	return samePairs(existing.GetLabels(), desired.GetLabels(), labels) &&
		samePairs(existing.GetAnnotations(), desired.GetAnnotations(), annotations) &&
		sameOwner(existing, desired)
}

// sameAsListed reports whether an observation in the cluster equals an observation from a listing.
// If so, the operator keeps only one of the two in memory. sameAsListed ignores conditions, and
// facts about other cloud objects (for example, a network shows its clusters).
func sameAsListed(kind *Kind, existing, listed Object) bool {
	if kind.withJoinedFacts == nil || kind.id(existing) != kind.id(listed) {
		return false
	}
	return sameVersion(existing, listed) ||
		!terminating(existing) && len(existing.GetFinalizers()) == 0 &&
			maps.Equal(existing.GetLabels(), listed.GetLabels()) &&
			maps.Equal(existing.GetAnnotations(), listed.GetAnnotations()) &&
			len(existing.GetOwnerReferences()) == 1 && sameOwner(existing, listed) &&
			kind.same(existing, kind.withJoinedFacts(listed, existing))
}

// sameVersion reports whether a and b are the same version of one object in the cluster. It returns
// false if one of them comes from a listing, and not from the cluster.
func sameVersion(a, b Object) bool {
	return a.GetResourceVersion() != "" && a.GetResourceVersion() == b.GetResourceVersion() && a.GetUID() == b.GetUID()
}

// creationCopy returns a copy of an object for a create request. The copy lacks the metadata that
// the API server sets, for example the UID.
func creationCopy(desired Object) Object {
	next := desired.DeepCopyObject().(Object)
	next.SetUID("")
	next.SetResourceVersion("")
	next.SetGeneration(0)
	next.SetCreationTimestamp(metav1.Time{})
	next.SetManagedFields(nil)
	return next
}

// restoreMetadata gives an existing object the desired labels, annotations and ownerReference. It
// removes labels and annotations that the operator set but no longer wants. It keeps metadata that
// someone else added.
func restoreMetadata(existing, desired metav1.Object) {
	labels, annotations := formerKeys(existing)
	existing.SetLabels(mergePairs(existing.GetLabels(), desired.GetLabels(), labels))
	existing.SetAnnotations(mergePairs(existing.GetAnnotations(), desired.GetAnnotations(), annotations))
	if sameOwner(existing, desired) {
		return
	}
	want := desired.GetOwnerReferences()[0]
	others := slices.DeleteFunc(slices.Clone(existing.GetOwnerReferences()), func(r metav1.OwnerReference) bool {
		return r.UID == want.UID
	})
	existing.SetOwnerReferences(append(others, want))
}

// formerKeys returns the keys of the labels and annotations that an object got from a template. It
// reads the keys from the annotation template-keys.
func formerKeys(o metav1.Object) (labels, annotations []string) {
	note := o.GetAnnotations()[v1alpha1.AnnotationTemplateKeys]
	if note == "" {
		return nil, nil
	}
	l, a, _ := strings.Cut(note, ";")
	return strings.Split(l, ","), strings.Split(a, ",")
}

// ownKey reports whether labels or annotations with this key belong to the operator. Such a key has
// the operator's prefix, or came from a template. fromTemplate has the keys that came from a
// template. The present template may lack some of these keys.
func ownKey(key string, fromTemplate []string) bool {
	return strings.HasPrefix(key, v1alpha1.Prefix) || slices.Contains(fromTemplate, key)
}

func samePairs(existing, desired map[string]string, fromTemplate []string) bool {
	if !containsPairs(existing, desired) {
		return false
	}
	for key := range existing {
		if _, wanted := desired[key]; !wanted && ownKey(key, fromTemplate) {
			return false
		}
	}
	return true
}

func mergePairs(existing, desired map[string]string, fromTemplate []string) map[string]string {
	merged := map[string]string{}
	for key, value := range existing {
		if !ownKey(key, fromTemplate) {
			merged[key] = value
		}
	}
	maps.Copy(merged, desired)
	return merged
}

// Claims reports whether a write gives an object an ownerReference to the owner. oldObject is the
// object before the write; nil if the write creates the object. newObject is the object after the
// write.
func Claims(owner, oldObject, newObject metav1.Object) bool {
	return controlledBy(newObject, owner) && (oldObject == nil || !controlledBy(oldObject, owner))
}

// SameNamed reports whether two references have the same apiVersion, kind and name. It ignores the
// UID, because an object that is deleted and created again has a new UID.
func SameNamed(a, b metav1.OwnerReference) bool {
	return a.APIVersion == b.APIVersion && a.Kind == b.Kind && a.Name == b.Name
}

func sameOwner(existing, desired metav1.Object) bool {
	want := desired.GetOwnerReferences()[0]
	for _, have := range existing.GetOwnerReferences() {
		if have.UID == want.UID {
			return have.Controller != nil && *have.Controller && SameNamed(have, want)
		}
	}
	return false
}

// Owned reports whether an observation belongs to a source:
//
//   - The spec of the observation must name the source and the source's environment.
//   - The observation must have the name that the source would give it.
//   - If the observation has a controller, the controller must be the source.
func Owned(o v1alpha1.Observation, source *v1alpha1.InventorySource) bool {
	origin := o.Origin()
	if origin.SourceRef.Name != source.Name || origin.Environment != source.Spec.Environment ||
		o.GetName() != ObjectName(o.CloudID()) {
		return false
	}
	controller := metav1.GetControllerOf(o)
	return controller == nil || controller.UID == source.UID
}
