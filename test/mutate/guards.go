// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
)

// guard is a line that prevents a fault that was found once. If the line is taken out, the tests of
// its package must fail.
type guard struct {
	// name names the fault that the guard prevents.
	name string
	file string
	// text is the text of the guard. It must be in the file exactly once. without replaces text
	// when the guard is taken out.
	text, without string
	// focus selects the specs to run by a part of their names. "" runs all tests.
	focus string
}

// guards has the guards in the order of the data flow.
var guards = []guard{
	{"an unchanged listing lacks nothing", "internal/cloudapi/listing.go", "len(l.Items) == c.index.size() && ", "", ""},
	{"items of another environment", "internal/cloudapi/item.go", "e.unreadable = q.foreign(value); e", "e", ""},
	{"pages of too many items", "internal/cloudapi/page.go", "case len(d.page.entries) == most:", "case false:", ""},
	{"a member that comes twice", "internal/cloudapi/item.go", "json.Unmarshal(raw, record, strict)", "json.Unmarshal(raw, record, strict, jsontext.AllowDuplicateNames(true))", ""},
	{"an answer that hangs", "internal/cloudapi/meter.go", "context.WithTimeout(ctx, c.requestTimeout(ctx))", "context.WithTimeout(ctx, time.Hour)", ""},
	{"the body of a failure that hangs", "internal/cloudapi/request.go", "time.AfterFunc(failureTimeout, m.abort)", "time.AfterFunc(time.Hour, m.abort)", ""},
	{"answers that may pass", "internal/cloudapi/failure.go", "	http.StatusConflict:           true,\n", "", ""},
	{"credentials in other encodings", "internal/cloudapi/redact.go", "a.hidden = append(a.hidden, forms(text)...)", "a.hidden = append(a.hidden, text)", ""},
	{"a token that is exchanged elsewhere", "internal/cloudapi/guard.go", "(req.Method != http.MethodPost || req.URL.String() != g.exchange)", "req.Method != http.MethodPost", ""},
	{"a token that is refused forever", "internal/cloudapi/token.go", `current != nil && current.id != refused`, "current != nil", ""},
	{"tokens in the cloud's words", "internal/cloudapi/token.go", `newAuthorization("", longEnough(subject)...)`, `newAuthorization("")`, ""},
	{"secrets that were used before", "internal/cloudapi/redact.go", "	used.add(a.id, a.hidden)\n", "", ""},
	{"tokens that die early", "internal/cloudapi/list.go", "	return c.persist(ctx, mayPass, ask)\n", "	return err\n", ""},
	{"exchanges refused in passing", "internal/cloudapi/token.go", "exchanger.persist(ctx, refusedInPassing,", "exchanger.persist(ctx, mayPass,", ""},
	{"a token taken from others", "internal/cloudapi/token.go", "context.WithoutCancel(ctx)", "ctx", ""},
	{"a good token that is not used", "internal/cloudapi/token.go", "current == nil || !now.Before(current.ends)", "current == nil || !now.Before(current.renew)", ""},
	{"a failed exchange that is made again at once", "internal/cloudapi/token.go", "now.Add(renewAgain)", "now", ""},
	{"a token for each that is refused", "internal/cloudapi/token.go", "!worked && t.now().Before(current.final)", "false", ""},
	{"a token that worked until now", "internal/cloudapi/list.go", "e.sentWith == accepted", "false", ""},
	{"series of an owner that is gone", "internal/metrics/metrics.go", " && m.asking[key][ownerKind]", "", ""},
	{"a token of another identity", "internal/cloudapi/tokens.go", "append([]string{made.at.String(), made.pool}, subject...)", "[]string{made.at.String(), made.pool}", ""},
	{"identities that are not used", "internal/cloudapi/tokens.go", "delete(t.sources, other)", "_ = other", ""},
	{"items that hold too much", "internal/cloudapi/list.go", "a.taken+n > a.limits.MaxHeldBytes", "false", ""},
	{"listings that hold too much together", "internal/cloudapi/list.go", "if !a.room.take(n) {", "if a.room.take(n); false {", ""},
	{"room that is never given back", "internal/cloudapi/list.go", "	a.room.give(a.taken - to)\n", "", ""},
	{"pages asked for again that hold twice", "internal/cloudapi/list.go", "a.drop(before)", "a.drop(max(before, a.taken))", ""},
	{"pages that are too much together", "internal/cloudapi/page.go", "case a.bodies+b.read > a.limits.MaxBodiesBytes:", "case false:", ""},
	{"values without end", "internal/cloudapi/page.go", "if free <= 0 {", "if free = maxRead; false {", ""},
	{"envelopes of a million members", "internal/cloudapi/page.go", "if len(seen) == maxMembers {", "if false {", ""},
	{"items of a million members", "internal/cloudapi/item.go", "if values(raw) > maxValues {", "if false {", ""},
	{"items that nest too deep", "internal/cloudapi/page.go", `strings.Contains(e.Err.Error(), "max depth")`, "e == nil", ""},
	{"decoding past the timeout", "internal/cloudapi/body.go", "if err := b.ctx.Err(); err != nil {", "if err := b.ctx.Err(); false {", ""},
	{"items left out that did not come", "internal/cloudapi/listing.go", "len(l.Items) + len(l.Unreadable) + l.leftOut;", "len(l.Items) + len(l.Unreadable);", ""},
	{"the reason in other shapes", "internal/cloudapi/reason.go", `"errordescription", "detail", `, "", ""},
	{"the reason in a list or an object", "internal/cloudapi/reason.go", "		for _, p := range r.read(members[name], depth+1) {\n			own.lack", "		for _, p := range r.read(nil, depth+1) {\n			own.lack", ""},
	{"the reason by field", "internal/cloudapi/reason.go", "	return r.byField(object, names, depth+1)\n", "	return nil\n", ""},
	{"the reason behind a byte order mark", "internal/cloudapi/reason.go", `bytes.TrimPrefix(raw, []byte("\ufeff"))`, "bytes.Clone(raw)", ""},
	{"members that are no reason", "internal/cloudapi/reason.go", "	case depth == 0:\n", "	case depth == 0 && len(own) > 0:\n", ""},
	{"reasons without end", "internal/cloudapi/reason.go", "r.left == 0 || ", "", ""},
	{"reasons that nest too deep", "internal/cloudapi/reason.go", " || depth > maxReasonDepth", "", ""},
	{"why an exchange was refused with status 200", "internal/cloudapi/tokenreply.go", "	e.quote(problems, requestID, subject.cleaner(\"\"))\n", "	_, _ = problems, requestID\n", ""},
	{"secrets in another case", "internal/cloudapi/secrets.go", "unicode.ToLower(unicode.ToUpper(r))", "r + 0*unicode.ToUpper(r)", ""},
	{"a token that was never sent", "internal/cloudapi/tokenreply.go", "	used.add(came.id, came.hidden)\n", "", ""},
	{"a token too short to hide", "internal/cloudapi/redact.go", "len(text) < minHiddenLength", `text == ""`, ""},
	{"a budget's refusal without a cause", "internal/cloudapi/budget/limiter.go", "	case l.paused.After(now):\n		w.Cause,", "	case wait == 0:\n	case l.paused.After(now):\n		w.Cause,", ""},
	{"half a CA bundle", "internal/options/cabundle.go", "n != len(certificates)", "false", ""},

	{"a forged time since when", "internal/mirror/ledger.go", "	case e.listed():\n		a.since = r.End\n", "	case e.listed():\n		a.since = r.claimedSince(inCluster, missing)\n", ""},
	{"an edited time of a missing observation", "internal/mirror/ledger.go", "return summary.MissingObjects[i].Since.Time", "return cmp.Or(missingCondition(*k.conditions(o)), summary.MissingObjects[i].Since.Time)", ""},
	{"an edited time that the status lacks", "internal/mirror/ledger.go", "int(summary.Missing) > len(summary.MissingObjects)", "true", ""},
	{"a time for which the status has no room", "internal/mirror/ledger.go", "int(summary.Missing) > len(summary.MissingObjects)", "false", ""},
	{"a deleted object in the status", "internal/mirror/plan.go", "func(m v1alpha1.MissingObject) bool { return m.Name == o.GetName() })", "func(v1alpha1.MissingObject) bool { return false })", ""},
	{"a time to come", "internal/mirror/ledger.go", "if since.After(r.End) {", "if false {", ""},
	{"an absence that a clock set back moves", "internal/mirror/ledger.go", "	a.since = r.past(a.since)\n", "", ""},
	{"a time out of scope that a clock set back moves", "internal/mirror/ledger.go", "r.past(former.outside)", "former.outside", ""},
	{"a wait for a clock set back", "internal/mirror/plan.go", "max(0, p.Now.Sub(since))", "p.Now.Sub(since)", ""},
	{"one scope for objects of two", "internal/mirror/ledger.go", "found && e.scope != scope", "found && false", ""},
	{"an object that no one is known to have seen", "internal/mirror/ledger.go", "	return e.scope != l.scope\n", "	return e.scope != \"\" && e.scope != l.scope\n", ""},
	{"an object that appears after a listing", "internal/mirror/ledger.go", "	case appeared:\n		return r.former.scope\n", "", ""},
	{"the scope of incomplete listings", "internal/controller/report.go", "			(*summary).Scope = s.kinds[i].ledger.Scope()\n", "", "not last seen under the present filter"},
	{"listed before, with no room to say so", "internal/mirror/discovery.go", "d.Status.Environments != nil && found && !entry.NeverListed", "d.Status.Environments != nil && (!found && unnamed(d) || found && !entry.NeverListed)", ""},
	{"a kind that a rename ignores", "internal/mirror/override.go", "return k.Mirrored(s)", "return false", ""},
	{"ConfigMaps that a rename deletes", "internal/mirror/override.go", "return s.Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled", "return false", ""},
	{"a former name that a stranger wrote", "internal/mirror/override.go", "wants(has) && ", "(wants(has) || true) && ", ""},
	{"clocks that differ", "internal/mirror/ledger.go", "since.Before(created.Add(-maxSkew))", "since.Before(created)", ""},
	{"a time before the observation was there", "internal/mirror/ledger.go", "since.Before(created.Add(-maxSkew)) && !created.After(now)", "false", ""},
	{"a forged time that stays", "internal/mirror/condition.go", "!at.IsZero() && got.LastTransitionTime.Unix() != at.Unix()", "at.IsZero() && false", ""},
	{"two IDs with one name", "internal/mirror/ledger.go", "if owner == name || id != name && owner < id {", "if false {", ""},
	{"listings that tell of others each time", "internal/mirror/plan.go", "p.Ledger == nil || !p.Ledger.partial", "true", ""},
	{"objects being deleted in the share", "internal/mirror/plan.go", "if !terminating(existing) && !p", "if !p", ""},
	{"released sources in the share", "internal/mirror/plan.go", " && !p.Kind.releases(existing) && p", " && p", ""},
	{"sources out of scope in the share", "internal/mirror/plan.go", " && p.Ledger.sight(existing.GetName()) != outside {", " {", ""},
	{"a source that no listing had", "internal/mirror/ledger.go", "case r.kind.listedBefore != nil && (appeared || !r.kind.listedBefore(o, r.owner)):", "case false:", ""},
	{"an approval for other objects", "internal/mirror/prune.go", "slices.Equal(slices.Sorted(maps.Values(a.left)), lines)", "slices.Sorted(maps.Values(a.left)) != nil", ""},
	{"an approval that is worn out by a conflict", "internal/mirror/prune.go", "if !approval.covers(p.Owner, lines) {", "if true {", ""},
	{"joins without a bound", "internal/mirror/join.go", "list[:min(len(list), MaxJoined)]", "list", ""},
	{"texts without a bound", "internal/mirror/text.go", "if v.Len() > limit {", "if false {", ""},
	{"templates that miss what is missing", "internal/mirror/metadata.go", "	if current {\n", "	if true {\n", ""},
	{"phases that a stranger wrote", "internal/mirror/plan.go", "former == p.Kind.Phase(existing)", "true", ""},

	{"not selected taken for not listed", "internal/mirror/ledger.go", "case known && e.listed() && !e.outside.IsZero():\n		return outside\n", "case known && e.listed() && !e.outside.IsZero():\n		return missing\n", ""},
	{"out of scope without an approval", "internal/mirror/prune.go", "	case outside > 0:\n		return asks(v1alpha1.ReasonScopeChanged, \"listed", "	case outside < 0:\n		return asks(v1alpha1.ReasonScopeChanged, \"listed", ""},
	{"a name that is absent", "internal/mirror/ledger.go", "if kind.withLastName != nil {", "if false {", ""},
	{"a copied source", "internal/mirror/discovery.go", "	if s.Name != ObjectName(s.Spec.Environment) {\n		return false\n	}\n", "", ""},
	{"sources that a person wants left alone", "internal/mirror/plan.go", "	if p.Kind.releases(existing) {\n		p.release(existing)\n		return\n	}\n", "", ""},
	{"sources of someone else", "internal/mirror/discovery.go", "return controller.UID == d.UID", "return true", ""},
	{"a user's own annotations", "internal/mirror/discovery.go", "if value, set := r.existing.GetAnnotations()[key]; set {", "if value, set := \"\", false; set {", ""},
	{"labels that are too long", "internal/mirror/metadata.go", "if len(name) <= validation.LabelValueMaxLength {", "if true {", ""},
	{"deletions that only wait for a listing", "internal/mirror/prune.go", "p.Deferred = append(p.Deferred, a.object)", "_ = a", ""},
	{"a variable that another access point takes", "internal/mirror/variable.go", "plainVariable(id) && count[name] == 1", "plainVariable(id)", ""},
	{"an access point that reads like another's variable", "internal/mirror/variable.go", " && !hashedName.MatchString(variable(id))", "", ""},
	{"a variable that begins with a digit", "internal/mirror/variable.go", "if name != \"\" && name[0] >= '0' && name[0] <= '9' {", "if false {", ""},
	{"a value with which no process starts", "internal/mirror/configmap.go", "(!variables || fitsVariable(value))", "true", ""},
	{"a ConfigMap of other keys whose owner is lost", "internal/mirror/configmap.go", "(names(property) || names(variable))", "names(property)", ""},
	{"a rename that changes endpoints", "internal/mirror/configmap.go", "if selection.ConfigMapContent != v1alpha1.ConfigMapContentEndpoints {", "if true {", ""},

	{"a preview of nothing known", "internal/mirror/preview.go", "if p.Summary == nil {", "if false {", ""},
	{"changes of missing sources in no preview", "internal/mirror/preview.go", "if w.Existing != nil {", "if w.Existing != nil && p.View.sight(w.Desired.GetName()) == listed {", ""},
	{"a long why that ends before the spec", "internal/mirror/preview.go", "[]string{\"spec\", \"metadata\"}", "[]string{\"metadata\", \"spec\"}", ""},
	{"a command that cannot hand over", "internal/mirror/plan.go", "return c.ID == \"\" && !c.Predecessor &&", "return !c.Predecessor &&", ""},
	{"the label of the next discovery", "internal/mirror/plan.go", "if labels[v1alpha1.LabelDiscovery] == \"\" {", "if true {", ""},
	{"a refusal that could be foreseen", "internal/mirror/override.go", "case stale != nil && stale.Duration < 2*interval:", "case false:", ""},

	{"stale and true", "internal/controller/reconciler.go", "s.schedule.plan(termsOf(o),", "s.schedule.ended = r.Clock.Now()\n		s.schedule.plan(termsOf(o),", "of the next sync and of staleness"},
	{"a last listing to come", "internal/controller/state.go", "		if k.formerly.After(now) {\n			k.formerly = now\n		}\n", "", "read from the status is a claim"},
	{"confirming listings forever", "internal/controller/schedule.go", "case s.confirming < max(confirmations, t.afterMisses):", "case true:", "between confirming listings"},
	{"an approval that asks again and again", "internal/controller/schedule.go", "case t.approvePrune != s.answered.approvePrune && t.approves:", "case t.approvePrune != s.answered.secret && t.approves:", "asks the cloud once, however often"},
	{"a held prune lost at a restart", "internal/controller/report.go", "case !report.Undecided || held != nil && report.Gone() < held.Count:", "default:", "is still held after a restart of one without"},
	{"the status of an owner created again", "internal/controller/report.go", `{"op": "test", "path": "/metadata/uid", "value": object.GetUID()},`, "", "is never written to an owner created again"},
	{"a refused write sent with each other", "internal/controller/retry.go", "!now.Before(r.failed) && now.Before(r.next)", "now.IsZero()", "refused forever"},
	{"repairs at full speed", "internal/controller/reconciler.go", "asked.synced() || !writes || s.repairs.AllowN(now, 1)", "true", "refused forever"},
	{"a conflict that goes on", "internal/controller/retry.go", " || r.attempts >= conflictsTold", "", "meets someone faster"},
	{"a write that does not stick", "internal/controller/apply.go", "if !k.Stored(w, answer) {", "if false {", "stored otherwise"},
	{"an ignored kind whose deletions are refused", "internal/controller/state.go", "retries: k.retries, planned: k.planned}", "retries: retries{}}", "What a source no longer mirrors"},
	{"objects from an old listing", "internal/controller/plan.go", "			s.kinds[i].forget()\n", "", "comes back by a listing alone"},
	{"a sync without news of what is missing", "internal/controller/state.go", "k.report.Summary.Missing == 0 &&", "", "made an observation of nothing"},
	{"a listing that was not taken in", "internal/controller/plan.go", "			return nil, err\n		}\n	}\n	s.heard(o, asked)\n	for i := range asked", "			s.answered(o, asked)\n			return nil, err\n		}\n	}\n	s.heard(o, asked)\n	for i := range asked", "could not be read after the listing"},
	{"a sync whose plan failed", "internal/controller/plan.go", "asked.putOff.For == 0); err != nil {\n", "asked.putOff.For == 0); err != nil {\n		s.answered(o, asked)\n", "because a plan failed"},
	{"objects of an owner that is gone", "internal/controller/reconciler.go", "err != nil || gone {", "err != nil || gone && false {", "because its owner is gone"},
	{"writes into a namespace that goes", "internal/controller/retry.go", "case errors.Is(err, errStopped) && r == nil: // The next pass plans the write again.\n		return nil", "case errors.Is(err, errStopped):\n		return r", "because its namespace is being deleted"},
	{"an approved prune that is held again", "internal/mirror/prune.go", "asked != nil && !approval.used() {", "asked != nil {", ""},
	{"a prune that is held for nothing", "internal/controller/report.go", "held != nil && report.Gone() < held.Count", "false", "whose objects are all back"},
	{"sources that are handed over before a listing", "internal/mirror/ledger.go", " || !r.kind.listedBefore(o, r.owner)", "", ""},
	{"what the watch missed", "internal/controller/plan.go", "!= s.kinds[i].shown {", "!= s.kinds[i].shown && false {", "A gap of the watch"},
	{"what finalizers keep, counted as gone", "internal/mirror/plan.go", "} else if !kept && r.Summary", "} else if r.Summary", ""},
	{"what finalizers keep, in no report of its deletion", "internal/mirror/plan.go", "kept := len(o.GetFinalizers()) > 0", "kept := false", ""},
	{"what finalizers keep, in no report", "internal/controller/conditions.go", "if v := state.kept(k.Name); v != nil {", "if v := state.kept(k.Name); v != nil && false {", "names it until it is gone"},
	{"objects of an ignored kind that finalizers keep", "internal/controller/state.go", "cmp.Or(k.unwritten(kind).verdict(), k.kept(kind))", "k.unwritten(kind).verdict()", "of an ignored kind that finalizers keep"},
	{"updates of what the owner does not write", "internal/controller/watch.go", "k.Alike(e.ObjectOld, e.ObjectNew)", "false", "writes its own status"},
	{"a command that is cut off", "internal/controller/conditions.go", "if len(message) <= most || condition == \"\" {", "if len(message) <= most {", "has the whole command"},
	{"a preview that waits for a name", "internal/controller/conditions.go", "v.reason == v1alpha1.ReasonNameConflict && ", "", "is Preview in Ready while"},
	{"a preview lost at a restart", "internal/controller/discovery.go", "p != nil || !d.Spec.Preview", "true", "stays over a restart"},
	{"deletions at full speed", "internal/controller/reconciler.go", "writes = writes || !s.kinds[i].retries.waiting(d.GetName(), now)", "_ = d", "does not delete at full speed"},
	{"listings for plans that fail", "internal/controller/reconciler.go", "termsOf(o), now); ok {", "termsOf(o), now); ok && false {", "asks the cloud once a minute"},
	{"listings that are counted twice", "internal/controller/plan.go", "k.index, k.asked, l.sighting = l.index, l.asked, nil", "k.index, k.asked = l.index, l.asked", "asks the cloud once a minute"},
	{"retries of a clock that was ahead", "internal/controller/retry.go", "!now.Before(r.failed) && ", "", "while the clock was ahead"},
	{"names that are waited for", "internal/controller/watch.go", "for _, waiting := range r.states.awaiting(kind, o.GetNamespace(), o.GetName()) {", "for _, waiting := range []client.ObjectKey(nil) {", "is had once it is free"},
	{"prunes that are taken for one", "internal/controller/event.go", "Eventf(o.object(), objects[0],", "Eventf(o.object(), nil,", "in an event of its own"},
	{"a token endpoint that is not allowed", "internal/controller/connect.go", "if err := o.allowEndpoint(field, of.TokenEndpoint); err != nil {", "if err := error(nil); err != nil {", "says which step failed"},
	{"a token for each that asks", "internal/cloudapi/tokens.go", "if shared, ok := t.sources[identity]; ok {", "if shared, ok := t.sources[identity]; ok && false {", ""},
	{"an exchange that no caller waits for", "internal/cloudapi/token.go", "if under.waiting--; under.waiting == 0 {", "if under.waiting--; under.waiting < 0 {", ""},
	{"someone else's ConfigMap", "internal/controller/configmapwrite.go", "case !mirror.OwnsConfigMap(f.cluster, existing):", "case false:", "leave alone what has their name"},
	{"a ConfigMap that cannot be changed", "internal/controller/configmapwrite.go", "(existing.Immutable == nil || !*existing.Immutable)", "true", "are put back"},
	{"an immutable ConfigMap whose replacement is refused", "internal/controller/configmapwrite.go", "if err := o.admitted(ctx, w.desired); err != nil {", "if err := error(nil); err != nil {", "while its replacement is refused"},
	{"a ConfigMap of a former observation", "internal/controller/configmapwrite.go", "case precedes(controller, desired):", "case false:", "wait for the garbage collector"},
	{"a refused ConfigMap that is another now", "internal/controller/configmapwrite.go", "if !f.retry.repeats(w, sameConfigMapWrite) {", "if false {", "stored without an address"},
	{"a refused ConfigMap that is gone", "internal/controller/configmapstate.go", "(failed.existing == nil || w.existing != nil) && ", "", "tried at a change"},
	{"a refused ConfigMap sent again and again", "internal/controller/configmapwrite.go", "if f.retry.waiting(now) {", "if f.retry.waiting(now) && false {", "not replaced again and again"},
	{"a refused ConfigMap that a person asks for", "internal/controller/configmapstate.go", "		s.retry.hurry()\n", "", "tried at a change"},
	{"a ConfigMap that is deleted at full speed", "internal/controller/configmapwrite.go", "f.idle(f.Clock.Now()) {", "true {", "after each deletion"},
	{"a turn of a clock that was ahead", "internal/controller/source.go", " || schedule.next.Sub(now) > o.settings().interval", "", "has no source wait for a turn"},
	{"a ConfigMap whose failure is not reported", "internal/controller/configmaps.go", "		why = f.failure()\n", "", "refuses by"},
	{"a ConfigMap that lost its label", "internal/controller/configmapwrite.go", "existing == nil && f.source.Status.ConfigMaps", "false", "that lost"},
	{"a stranger's ConfigMap taken for one left", "internal/controller/configmapsource.go", "if c != nil && mirror.OwnsConfigMap(cluster, c) {", "if c != nil {", "not confused with a stranger's"},
	{"ConfigMaps that the operator may not look for", "internal/controller/configmapsource.go", "case apierrors.IsForbidden(err):", "case apierrors.IsForbidden(err) && false:", "may not look for any more"},
	{"ConfigMaps that are not gone yet", "internal/controller/configmapsource.go", "s.Status.ConfigMaps = err != nil || len(names) > 0", "s.Status.ConfigMaps = false", "whichever controller comes first"},
	{"ConfigMaps before the clusters' rights", "internal/controller/rights.go", "if why := b.watches.why(other); why != \"\" {", "if why := b.watches.why(other); why != \"\" && false {", "not list clusters"},
	{"sources that all ask at once", "internal/controller/source.go", "schedule.next = now.Add(wait)", "schedule.next = now.Add(0 * wait)", "first syncs of its sources spread"},
	{"listings that are not whole", "internal/controller/list.go", "= incomplete == nil, asked.scope, end", "= true, asked.scope, end", "counts no listing that failed"},
	{"an error while the manager stops", "internal/controller/reconciler.go", "if ctx.Err() != nil {\n		return reconcile.Result{}, nil\n	}", "", "reports no error"},
}

// place returns where the guard stands in the source of its file, and what takes its place.
func (g guard) place(source []byte) (edit, error) {
	if n := bytes.Count(source, []byte(g.text)); n != 1 {
		return edit{}, fmt.Errorf("%s: the guard against %q stands there %d times, not once", g.file, g.name, n)
	}
	from := bytes.Index(source, []byte(g.text))
	return edit{from, from + len(g.text), g.without}, nil
}
