// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// waitsForPredecessor returns true if a source or discovery needs names that other objects have,
// and all these names become free without a person's help. Each of the other objects must be one of
// these:
//
//   - an object of this source or discovery that is being deleted
//   - an object of a deleted source or discovery that had the same name as this one
func waitsForPredecessor(report mirror.Report) bool {
	return report.Unfilled() > 0 && len(report.Clashes) == 0 &&
		!slices.ContainsFunc(report.Conflicts, func(c mirror.Conflict) bool { return !c.Predecessor })
}

// takenMessages has messages about a source or discovery, the owner. The owner cannot create some
// objects, because their names are already in use by other objects. Each field is the message about
// one sort of these other objects:
//
//   - freeObjects: objects without a controller. A person can hand them over to the owner.
//   - rivalObjects: objects of another owner. A person can hand them over to the owner.
//   - foreignObjects: objects that do not belong to the owner. A person cannot hand them over.
//   - formerObjects: objects of a deleted owner. The deleted owner had the same name as the owner.
//   - otherIDs: the owner's objects whose cloud ID is not the cloud ID of the object to create
//   - nameClashes: the owner's objects for another listed cloud object. Two listed cloud objects
//     need the same name, and only one of them gets it.
//   - leavingObjects: the owner's objects that are being deleted
//
// In each message, %s stands for the names. The words NAMESPACE and OWNER stand for the owner's
// namespace and name. For a source, freeObjects and rivalObjects are "", because a person cannot
// hand over observations.
type takenMessages struct{ freeObjects, rivalObjects, foreignObjects, formerObjects, otherIDs, nameClashes, leavingObjects string }

// withOwner replaces the words NAMESPACE and OWNER in freeObjects and rivalObjects by the namespace
// and the name of the source or discovery.
func (t takenMessages) withOwner(o owner) takenMessages {
	fill := strings.NewReplacer("NAMESPACE", o.object().GetNamespace(), "OWNER", mirror.LabelValue(o.object().GetName()))
	t.freeObjects, t.rivalObjects = fill.Replace(t.freeObjects), fill.Replace(t.rivalObjects)
	return t
}

// briefMessage returns a short message about object names that are in use. It names one object and
// counts the others.
func (t takenMessages) briefMessage(k *kind, report mirror.Report) string {
	var first mirror.Report
	switch {
	case len(report.Conflicts) > 0:
		first.Conflicts = report.Conflicts[:1]
	case len(report.Clashes) > 0:
		first.Clashes = report.Clashes[:1]
	default:
		first.Leaving = report.Leaving[:1]
	}
	message := t.message(first)
	if more := report.Unfilled() - 1; more > 0 {
		message += fmt.Sprintf("; %d more in condition %s", more, k.Condition)
	}
	return message
}

// message says which object names are in use, which objects have them, and how to free the names.
func (t takenMessages) message(report mirror.Report) string {
	var free, rivals, theirs, formers, others, clashes, parts []string
	for _, c := range report.Conflicts {
		holder := "no controller"
		if c.Controller != "" {
			holder = "controlled by " + c.Controller
		}
		if c.ID != "" {
			holder = "of " + c.ID + ", " + holder
		}
		entry := fmt.Sprintf("%s (%s)", c.Name, holder)
		switch {
		case c.Own:
			others = append(others, fmt.Sprintf("%s (of %s)", c.Name, c.ID))
		case c.Predecessor:
			formers = append(formers, c.Name)
		case t.freeObjects == "" || !c.Movable():
			theirs = append(theirs, entry)
		case c.Controller != "":
			rivals = append(rivals, entry)
		default:
			free = append(free, entry)
		}
	}
	for _, c := range report.Clashes {
		clashes = append(clashes, fmt.Sprintf("%s (%s is that of %s)", c.ID, c.Name, c.Owner))
	}
	for _, part := range []struct {
		names []string
		text  string
	}{
		{free, t.freeObjects}, {rivals, t.rivalObjects}, {theirs, t.foreignObjects}, {formers, t.formerObjects},
		{others, t.otherIDs}, {clashes, t.nameClashes}, {report.Leaving, t.leavingObjects},
	} {
		if len(part.names) > 0 {
			parts = append(parts, fmt.Sprintf(part.text, mirror.Names(part.names)))
		}
	}
	return strings.Join(parts, "; ")
}
