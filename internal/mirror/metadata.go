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

// Stamp gives a projected observation everything that its source decides: name, namespace,
// ownerReference, origin, the operator's labels and the source's template. Labels that the
// projection set stay. Texts of the cloud are cut to what their fields hold.
func (k *Kind) Stamp(o v1alpha1.Observation, source *v1alpha1.InventorySource) {
	cutTexts(k.stored(o))
	*o.Origin() = v1alpha1.ObservationOrigin{
		SourceRef:   v1alpha1.LocalReference{Name: source.Name},
		Environment: source.Spec.Environment,
	}
	o.SetName(ObjectName(o.CloudID()))
	o.SetNamespace(source.Namespace)
	o.SetOwnerReferences([]metav1.OwnerReference{*SourceOwner(source).reference()})
	labels, annotations := templated(o.GetLabels(), source.Spec.Template)
	labels[v1alpha1.LabelSource] = LabelValue(source.Name)
	setLabel(labels, v1alpha1.LabelEnvironment, source.Spec.Environment)
	o.SetLabels(labels)
	o.SetAnnotations(annotations)
}

// templated adds a template's labels to the given labels, and returns them. It also returns the
// template's annotations, and with them the one that lists the template's keys.
func templated(labels map[string]string, t v1alpha1.ObservationTemplate) (all, annotations map[string]string) {
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

// setLabel sets a label if the value is valid and not empty. An invalid label must never prevent an
// object from being written.
func setLabel(labels map[string]string, key, value string) {
	if value != "" && len(validation.IsValidLabelValue(value)) == 0 {
		labels[key] = value
	}
}

// LabelValue returns the label value for an object's name: the name itself if it is short enough;
// otherwise its first characters, "-" and the first 8 hex digits of its SHA-256.
func LabelValue(name string) string {
	if len(name) <= validation.LabelValueMaxLength {
		return name
	}
	return name[:validation.LabelValueMaxLength-hashDigits-1] + "-" + shortHash(name)
}

// templateKeys returns the template's label keys, ";", and its annotation keys. Each list is sorted
// and separated by commas. The result is "" for an empty template.
func templateKeys(t v1alpha1.ObservationTemplate) string {
	if len(t.Labels)+len(t.Annotations) == 0 {
		return ""
	}
	labels := slices.Sorted(maps.Keys(t.Labels))
	annotations := slices.Sorted(maps.Keys(t.Annotations))
	return strings.Join(labels, ",") + ";" + strings.Join(annotations, ",")
}

// restamped returns an observation with the metadata that its source gives it now. If the given
// observation has them already, it is returned; otherwise a copy. So the source's template also
// applies to objects that are no longer listed.
func restamped(k *Kind, o Object, source *v1alpha1.InventorySource) Object {
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

// sameMetadata reports whether an object has all the metadata that it should have. Labels,
// annotations, finalizers and owners that others added do not count.
func sameMetadata(existing, desired metav1.Object) bool {
	labels, annotations := formerKeys(existing)
	return samePairs(existing.GetLabels(), desired.GetLabels(), labels) &&
		samePairs(existing.GetAnnotations(), desired.GetAnnotations(), annotations) &&
		sameOwner(existing, desired)
}

// carries reports whether an existing observation equals the listed one, apart from conditions and
// joined lists, and has no metadata that others added. Then the existing one can stand for the
// listed one.
func carries(kind *Kind, existing, listed Object) bool {
	return kind.joinedAs != nil && kind.id(existing) == kind.id(listed) &&
		!terminating(existing) && len(existing.GetFinalizers()) == 0 &&
		maps.Equal(existing.GetLabels(), listed.GetLabels()) &&
		maps.Equal(existing.GetAnnotations(), listed.GetAnnotations()) &&
		len(existing.GetOwnerReferences()) == 1 && sameOwner(existing, listed) &&
		kind.same(existing, kind.joinedAs(listed, existing))
}

// fresh returns a copy of desired that can be created. desired may be an object read from the
// cluster, see carries. The copy lacks the metadata that the API server set.
func fresh(desired Object) Object {
	next := desired.DeepCopyObject().(Object)
	next.SetUID("")
	next.SetResourceVersion("")
	next.SetGeneration(0)
	next.SetCreationTimestamp(metav1.Time{})
	next.SetManagedFields(nil)
	return next
}

// restoreMetadata puts the desired labels, annotations and ownerReference on an object. It removes
// keys under inventory.ccloud.dev/ and keys of the former template that are no longer wanted. All
// other metadata stays.
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

// formerKeys returns the label and annotation keys that an object got from a template. The
// annotation template-keys lists them.
func formerKeys(o metav1.Object) (labels, annotations []string) {
	note := o.GetAnnotations()[v1alpha1.AnnotationTemplateKeys]
	if note == "" {
		return nil, nil
	}
	l, a, _ := strings.Cut(note, ";")
	return strings.Split(l, ","), strings.Split(a, ",")
}

// ours reports whether the operator sets and removes a key.
func ours(key string, former []string) bool {
	return strings.HasPrefix(key, v1alpha1.Prefix) || slices.Contains(former, key)
}

func samePairs(existing, desired map[string]string, former []string) bool {
	if !contains(existing, desired) {
		return false
	}
	for key := range existing {
		if _, wanted := desired[key]; !wanted && ours(key, former) {
			return false
		}
	}
	return true
}

func mergePairs(existing, desired map[string]string, former []string) map[string]string {
	merged := map[string]string{}
	for key, value := range existing {
		if !ours(key, former) {
			merged[key] = value
		}
	}
	maps.Copy(merged, desired)
	return merged
}

// SameNamed reports whether two references have the same kind and name. They mean the same object,
// or an object and its successor of the same name.
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

// Owned reports whether an observation belongs to a source. The observation must have the source
// and the environment in its spec, and the name that the source would give it. The source must
// control it. An observation without a controller also belongs to the source: its ownerReference
// was lost.
func Owned(o v1alpha1.Observation, source *v1alpha1.InventorySource) bool {
	origin := o.Origin()
	if origin.SourceRef.Name != source.Name || origin.Environment != source.Spec.Environment ||
		o.GetName() != ObjectName(o.CloudID()) {
		return false
	}
	controller := metav1.GetControllerOf(o)
	return controller == nil || controller.UID == source.UID
}
