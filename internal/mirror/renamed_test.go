// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// override of the environments with names like these.
func overrideOf(spec v1alpha1.MirrorSettings, names ...string) v1alpha1.SourceOverride {
	o := v1alpha1.SourceOverride{Spec: v1alpha1.SourceOverrideSpec{MirrorSettings: spec}}
	o.Selector.DisplayNames = identifiers(names...)
	return o
}

// losses are discoveries whose overrides decide otherwise what is mirrored, pruned or in ConfigMaps of
// an environment that is renamed from payments-b to Payments-b.
var losses = map[string]func(d *v1alpha1.EnvironmentDiscovery){
	"out of an override that mirrors a kind": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			KafkaClusters: v1alpha1.KafkaClusterSelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	},
	"out of an override that mirrors networks": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			Networks: v1alpha1.NetworkSelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	},
	"out of an override that mirrors Schema Registry": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			SchemaRegistry: v1alpha1.SchemaRegistrySelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	},
	"into an override that ignores a kind": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			Peerings: v1alpha1.PeeringSelection{Policy: v1alpha1.MirrorPolicyIgnore}}, "Pay*")}
	},
	"out of an override that keeps ConfigMaps": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			KafkaClusters: v1alpha1.KafkaClusterSelection{ConfigMaps: v1alpha1.ConfigMapPolicyEnabled}}, "payments-*")}
	},
	"out of an override that retains":              prunes(v1alpha1.Prune{Policy: v1alpha1.PrunePolicyRetain}, "payments-*"),
	"out of an override that holds":                prunes(v1alpha1.Prune{MaxPercent: ptr[int32](0)}, "payments-*"),
	"out of an override with a grace period":       prunes(v1alpha1.Prune{GracePeriod: seconds(86400)}, "payments-*"),
	"out of an override that asks for more misses": prunes(v1alpha1.Prune{AfterMisses: ptr[int32](100)}, "payments-*"),
	"into an override that holds nothing":          prunes(v1alpha1.Prune{MaxPercent: ptr[int32](100)}, "Pay*"),
	"out of an override with other keys in ConfigMaps": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Template.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
		clusterSettings(v1alpha1.KafkaClusterSelection{ConfigMapKeys: v1alpha1.ConfigMapKeysEnvironment}, "payments-*")(d)
	},
	"out of an override with less in ConfigMaps": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Template.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
		clusterSettings(v1alpha1.KafkaClusterSelection{ConfigMapContent: v1alpha1.ConfigMapContentEndpoints}, "payments-*")(d)
	},
	"into an override with ConfigMaps": clusterSettings(v1alpha1.KafkaClusterSelection{ConfigMaps: v1alpha1.ConfigMapPolicyEnabled}, "Pay*"),
	"into an override with a filter":   clusterSettings(v1alpha1.KafkaClusterSelection{Networks: identifiers("n-1")}, "Pay*"),
	"out of an override that takes the filter away": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Template.Spec.KafkaClusters.Networks = identifiers("n-1")
		clusterSettings(v1alpha1.KafkaClusterSelection{Networks: identifiers()}, "payments-*")(d)
	},
	"into an override with a filter of connections": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Template.Spec.PrivateLinkAccesses.Policy = v1alpha1.MirrorPolicyMirror
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			PrivateLinkAccesses: v1alpha1.ConnectionSelection{Phases: identifiers("READY")}}, "Pay*")}
	},
	"out of the selector too": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Selector.DisplayNames = identifiers("payments-*")
		d.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			KafkaClusters: v1alpha1.KafkaClusterSelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	},
}

// prunes gives a discovery an override with this prune spec.
func prunes(p v1alpha1.Prune, names ...string) func(d *v1alpha1.EnvironmentDiscovery) {
	return func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{Prune: p}, names...)}
	}
}

// clusterSettings gives a discovery an override with these settings of Kafka clusters.
func clusterSettings(s v1alpha1.KafkaClusterSelection, names ...string) func(d *v1alpha1.EnvironmentDiscovery) {
	return func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{KafkaClusters: s}, names...)}
	}
}

// losing returns a discovery with such overrides, and the defaults of the API.
func losing(t *testing.T, configure func(d *v1alpha1.EnvironmentDiscovery)) *org {
	o := newOrg(t)
	settings := &o.discovery.Spec.Template.Spec.MirrorSettings
	settings.KafkaClusters.Policy, settings.KafkaClusters.ConfigMaps = v1alpha1.MirrorPolicyMirror, v1alpha1.ConfigMapPolicyDisabled
	settings.Peerings.Policy, settings.Networks.Policy = v1alpha1.MirrorPolicyMirror, v1alpha1.MirrorPolicyIgnore
	settings.Prune = v1alpha1.Prune{Policy: v1alpha1.PrunePolicyDelete, AfterMisses: ptr[int32](2), GracePeriod: seconds(0), MaxPercent: ptr[int32](20)}
	configure(o.discovery)
	return o
}

// decide sets the overrides that a person who knows of the rename adds or removes.
func decide(o *org, overrides ...v1alpha1.SourceOverride) {
	o.discovery = o.discovery.DeepCopy()
	o.discovery.Spec.Overrides = overrides
}

// byID returns an override of env-b with these settings, for a person to decide by.
func byID(settings v1alpha1.MirrorSettings) v1alpha1.SourceOverride {
	o := overrideOf(*settings.DeepCopy())
	o.Selector.IDs = identifiers("env-b")
	clusters := &o.Spec.KafkaClusters
	clusters.ConfigMapKeys = cmp.Or(clusters.ConfigMapKeys, v1alpha1.ConfigMapKeysProperties)
	clusters.ConfigMapContent = cmp.Or(clusters.ConfigMapContent, v1alpha1.ConfigMapContentAll)
	for _, k := range kindsOfSources {
		if field, policy := k.settingsOf(&o.Spec.MirrorSettings); policy == v1alpha1.MirrorPolicyIgnore {
			reflect.ValueOf(field).Elem().FieldByName("Policy").Set(reflect.ValueOf(policy))
		}
	}
	for _, filter := range []*[]v1alpha1.Identifier{&clusters.Networks, &o.Spec.PrivateLinkAccesses.Phases} {
		if *filter == nil {
			*filter = identifiers() // An empty list removes all entries.
		}
	}
	return o
}

func TestEachKindOfObservationsIsAskedWhetherARenameLosesIt(t *testing.T) {
	t.Parallel()
	NewWithT(t).Expect(kindsOfSources).To(ConsistOf(worldKinds))
}

func TestARenameDeletesNothingByAnOverride(t *testing.T) {
	t.Parallel()
	before := []environment{{"env-a", "payments-a"}, {"env-b", "payments-b"}}
	after := []environment{{"env-a", "payments-a"}, {"env-b", "Payments-b"}}
	for name, configure := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, configure)
			o.look(before...)
			spec := o.sources["env-b"].Spec
			for _, follows := range []func() *Plan{
				func() *Plan { return o.look(after...) },
				o.pass,
				func() *Plan { o.restart(); return o.pass() },
				func() *Plan { return o.look(after...) },
			} {
				plan := follows()
				o.Expect(plan.Writes).To(BeEmpty())
				o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
			}
			o.Expect(o.pass().Remarks).To(ContainElement("renamed, but kept with the overrides of the former name, because those of the new one " +
				"change what is mirrored, pruned or in ConfigMaps: env-b; select them by ids in spec.overrides"))
			o.Expect(o.discovery.Status.Sources).To(ContainElement(And(HaveField("Environment", "env-b"), HaveField("DisplayName", "payments-b"))))
			if strings.HasPrefix(name, "out of an override") {
				o.Expect(o.pass().Remarks).To(HaveLen(1), "the override selects one")
			}
			drifted := o.reread("env-b")
			drifted.Labels = nil
			o.Expect(o.plan().View.Drifted(drifted)).To(BeTrue())
			o.Expect(o.pass().Writes).To(HaveLen(1))
			o.Expect(o.sources["env-b"].Spec).To(Equal(spec), "a repair says the same")

			if o.discovery.Spec.Selector.DisplayNames == nil {
				delete(o.sources, "env-b")
				o.Expect(o.pass().Writes).To(HaveLen(1))
				o.Expect(o.sources["env-b"].Spec).To(Equal(spec), "a source that someone deletes comes back as it was")
			}

			decide(o, append(o.discovery.Spec.Overrides, byID(spec.MirrorSettings))...)
			o.Expect(o.pass().Remarks).NotTo(ContainElement(ContainSubstring("renamed")))
			o.Expect(needsApproval(spec.MirrorSettings, o.sources["env-b"].Spec.MirrorSettings)).To(BeFalse())
			o.Expect(displayName(o.sources["env-b"])).To(Equal("Payments-b"), "a person decided by ID")
		})
	}
}

func TestTheKeptNameOutlivesASourceThatGoesInTwoSteps(t *testing.T) {
	t.Parallel()
	before, after := environment{"env-b", "payments-b"}, environment{"env-b", "Payments-b"}
	o := losing(t, losses["out of an override that mirrors a kind"])
	o.look(before)
	spec := o.sources["env-b"].Spec
	o.look(after)
	going := o.reread("env-b")
	going.Finalizers, going.DeletionTimestamp = []string{"foregroundDeletion"}, &metav1.Time{Time: o.now}
	o.pass()
	o.Expect(o.discovery.Status.Sources).To(BeEmpty())
	delete(o.sources, "env-b")
	o.pass()
	o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
	o.look(after)
	o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
}

func TestAPreviewChangesNoKeptName(t *testing.T) {
	t.Parallel()
	before, after := environment{"env-b", "payments-b"}, environment{"env-b", "Payments-b"}
	for _, restart := range []bool{false, true} {
		o := losing(t, losses["out of an override that mirrors a kind"])
		overrides := o.discovery.Spec.Overrides
		o.look(before)
		spec := o.sources["env-b"].Spec
		o.look(after)
		decide(o)
		o.preview(true)
		o.hear(true, after)
		o.noteStatus(o.plan())
		decide(o, overrides...)
		o.preview(false)
		if restart {
			o.restart()
		}
		o.look(after)
		o.Expect(o.sources["env-b"].Spec).To(Equal(spec), "restart %v", restart)
	}
}

// An environment without a source is renamed before its source is created. No source had the former
// name. So the new name needs no approval.
func TestANameThatNoSourceHadDecidesNothing(t *testing.T) {
	t.Parallel()
	before, after := environment{"env-b", "payments-b"}, environment{"env-b", "Payments-b"}
	for name, unwritten := range map[string]func(o *org, e environment){
		"a preview": func(o *org, e environment) {
			o.discovery.Spec.Preview = true
			o.hear(true, e)
			o.applied = o.plan().AppliedNames // The plan is not carried out.
			o.discovery.Spec.Preview = false
		},
		"a name that another source has": func(o *org, e environment) {
			theirs := newSource()
			theirs.Name, theirs.UID, theirs.Spec.Environment = "env-b", "uid-hand", "env-b"
			o.sources["env-b"] = theirs
			o.Expect(o.look(e).Conflicts).To(HaveLen(1))
		},
	} {
		for when, between := range map[string]func(o *org){"": func(*org) {}, ", and a restart": (*org).restart} {
			t.Run(name+when, func(t *testing.T) {
				t.Parallel()
				o := losing(t, losses["out of an override that mirrors a kind"])
				unwritten(o, before)
				unwritten(o, after)
				if theirs := o.sources["env-b"]; theirs != nil {
					o.reread("env-b").Labels = map[string]string{v1alpha1.LabelDiscovery: o.discovery.Name}
				}
				between(o)
				o.Expect(o.look(after).Remarks).NotTo(ContainElement(ContainSubstring("renamed")))
				o.Expect(displayName(o.sources["env-b"])).To(Equal("Payments-b"))
				o.Expect(o.sources["env-b"].Spec).To(Equal(NewSource(o.discovery, "env-b", "Payments-b").Spec))
			})
		}
	}
}

func TestAPersonsOverridesCountAtOnceAfterARename(t *testing.T) {
	t.Parallel()
	for name, configure := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, configure)
			o.look(environment{"env-b", "payments-b"})
			o.look(environment{"env-b", "Payments-b"})
			kept := o.discovery
			decide(o)
			o.Expect(o.plan().Writes).To(HaveLen(1))
			decided := NewSource(kept, "env-b", "Payments-b").Spec
			decide(o, append(kept.Spec.Overrides, byID(decided.MirrorSettings))...)
			o.Expect(o.pass().Writes).To(HaveLen(1))
			o.Expect(needsApproval(decided.MirrorSettings, o.sources["env-b"].Spec.MirrorSettings)).To(BeFalse())
			o.Expect(displayName(o.sources["env-b"])).To(Equal("Payments-b"))
		})
	}
}

func TestAnAnnotationThatAStrangerWroteIsNoFormerName(t *testing.T) {
	t.Parallel()
	for name, configure := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, configure)
			o.discovery.Spec.Selector.DisplayNames = nil
			o.look(environment{"env-b", "Payments-b"})
			spec := o.sources["env-b"].Spec
			o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "payments-b")
			o.sources["env-b"].Spec = NewSource(o.discovery, "env-b", "payments-b").Spec
			plan := o.pass()
			o.Expect(plan.Writes).To(HaveLen(1))
			o.Expect(plan.Remarks).NotTo(ContainElement(ContainSubstring("renamed")))
			o.Expect(displayName(o.sources["env-b"])).To(Equal("Payments-b"))
			o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
		})
	}
}

func TestAPreviewSaysWhyARenamedEnvironmentIsOutOfScope(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyDelete
	o.discovery.Spec.Selector.DisplayNames = identifiers("payments-*")
	o.look(environment{"env-b", "payments-b"})
	o.hear(true, environment{"env-b", "Payments-b"})
	o.Expect(o.plan().Preview().Delete).To(ConsistOf(HaveField("Why", HavePrefix("not selected by spec.selector; held as ScopeChanged"))))
}

// edits are those of a person who may edit the source of env-b: of the name that it keeps, and of the
// settings to those of the listed name.
var edits = map[string]func(o *org){
	"the name is removed":            func(o *org) { o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "") },
	"the name is the listed one":     func(o *org) { o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "Payments-b") },
	"the name is another":            func(o *org) { o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "x") },
	"the settings are the new one's": func(o *org) { o.reread("env-b").Spec = NewSource(o.discovery, "env-b", "Payments-b").Spec },
}

func TestAnEditOfASourceLetsNoRenameThrough(t *testing.T) {
	t.Parallel()
	renamed := func(o *org) { o.look(environment{"env-a", "payments-a"}, environment{"env-b", "Payments-b"}) }
	release := func(o *org) {
		renamed(o)
		o.annotate("env-b", v1alpha1.AnnotationUnmanaged, "true")
		o.pass()
	}
	for stage, follows := range map[string]func(o *org){
		"kept":                          renamed,
		"kept, and listed without name": func(o *org) { renamed(o); o.restart() },
		"missing":                       func(o *org) { o.look(environment{"env-a", "payments-a"}) },
		"missing, after a restart": func(o *org) {
			o.look(environment{"env-a", "payments-a"})
			o.restart()
			o.look(environment{"env-a", "payments-a"})
		},
		"not listed since the start":            func(o *org) { o.restart() },
		"unmanaged for a while":                 release,
		"unmanaged for a while, with a restart": release,
	} {
		for edit, edits := range edits {
			for name, configure := range losses {
				t.Run(stage+", "+edit+", "+name, func(t *testing.T) {
					t.Parallel()
					o := losing(t, configure)
					o.look(environment{"env-a", "payments-a"}, environment{"env-b", "payments-b"})
					spec := o.sources["env-b"].Spec
					follows(o)
					edits(o)
					switch stage {
					case "unmanaged for a while", "unmanaged for a while, with a restart":
						if o.pass(); strings.HasSuffix(stage, "restart") {
							o.restart()
						}
						o.annotate("env-b", v1alpha1.AnnotationUnmanaged, "")
						o.pass()
					case "kept, and listed without name":
						o.look(environment{"env-a", "payments-a"}, environment{"env-b", ""})
					default:
						o.pass()
					}
					o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
					o.Expect(displayName(o.sources["env-b"])).To(Equal("payments-b"))
				})
			}
		}
	}
}

// harmless are discoveries that give payments-b and Payments-b settings between which a rename
// changes at once.
var harmless = map[string]v1alpha1.MirrorSettings{
	"the interval":       {Interval: seconds(60)},
	"the timeout":        {Timeout: seconds(10)},
	"staleAfter":         {StaleAfter: seconds(3600)},
	"labels":             {Template: v1alpha1.ObservationTemplate{Labels: map[string]v1alpha1.LabelValue{"team": "data"}}},
	"a kind that begins": {Networks: v1alpha1.NetworkSelection{Policy: v1alpha1.MirrorPolicyMirror}},
	"a kind that begins with a filter": {TransitGatewayAttachments: v1alpha1.ConnectionSelection{
		Policy: v1alpha1.MirrorPolicyMirror, Phases: identifiers("READY")}},
	"a filter of a kind that is not mirrored": {PrivateLinkAccesses: v1alpha1.ConnectionSelection{Phases: identifiers("READY")}},
	"the keys of no ConfigMaps":               {KafkaClusters: v1alpha1.KafkaClusterSelection{ConfigMapKeys: v1alpha1.ConfigMapKeysEnvironment}},
	"a filter in another order":               {Peerings: v1alpha1.PeeringSelection{Phases: identifiers("FAILED", "READY")}},
}

func TestARenameChangesAtOnceWhatDecidesNothing(t *testing.T) {
	t.Parallel()
	for name, settings := range harmless {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, func(d *v1alpha1.EnvironmentDiscovery) {
				d.Spec.Template.Spec.Peerings.Phases = identifiers("READY", "FAILED")
				d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(settings, "Pay*")}
			})
			o.look(environment{"env-b", "payments-b"})
			plan := o.look(environment{"env-b", "Payments-b"})
			o.Expect(plan.Remarks).To(BeEmpty())
			o.Expect(o.sources["env-b"].Spec).To(Equal(stored(NewSource(o.discovery, "env-b", "Payments-b")).(*v1alpha1.InventorySource).Spec))
			o.Expect(displayName(o.sources["env-b"])).To(Equal("Payments-b"))
		})
	}
}

func TestASourceKeepsItsSettingsUntilItsEnvironmentsNameIsKnown(t *testing.T) {
	t.Parallel()
	for name, listing := range map[string]func(o *org) *Plan{
		"the listings fail":          (*org).pass,
		"a listing is incomplete":    func(o *org) *Plan { o.hear(false, environment{"env-a", "payments-a"}); return o.pass() },
		"the environment is missing": func(o *org) *Plan { return o.look(environment{"env-a", "payments-a"}) },
	} {
		for _, selection := range []string{"by name", "by ID"} {
			t.Run(name+", overrides select "+selection, func(t *testing.T) {
				t.Parallel()
				o := losing(t, losses["out of an override that mirrors a kind"])
				o.look(environment{"env-a", "payments-a"})
				o.restart()
				s := NewSource(o.discovery, "env-b", "payments-b")
				s.UID, s.OwnerReferences = "handed-over", nil // The annotation is another discovery's, or anyone's.
				o.sources["env-b"] = s
				if selection == "by ID" {
					o.discovery.Spec.Overrides[0].Selector = v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{IDs: identifiers("env-a")}}
					listing(o)
					o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore), "no name can change that")
					return
				}
				for range 2 {
					listing(o)
					o.Expect(o.sources["env-b"].Spec).To(Equal(s.Spec), "an override may mirror it")
					o.Expect(o.sources["env-b"].OwnerReferences).To(HaveLen(1))
				}
				o.look(environment{"env-a", "payments-a"}, environment{"env-b", "dev-b"})
				o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore), "a person handed it over")
			})
		}
	}
}

func TestAStatusWithoutRoomOrWithoutContentLetsNoRenameThrough(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct {
		former, listed string
		lose           func(o *org)
	}{
		"it was lost":                   {"payments-b", "Payments-b", func(o *org) { o.discovery.Status = v1alpha1.EnvironmentDiscoveryStatus{} }},
		"it has no room for the source": {"payments-b", "Payments-b", func(o *org) { o.discovery.Status.Sources = nil }},
		"it has a part of the name":     {"payments-" + long, "Payments-" + long, func(*org) {}},
		"it has a part of the name, and someone edits the rest": {"payments-" + long, "Payments-" + long, func(o *org) {
			o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "Payments-"+long)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, losses["out of an override that mirrors a kind"])
			o.look(environment{"env-b", c.former})
			spec := o.sources["env-b"].Spec
			for range 2 {
				o.restart()
				o.discovery = o.discovery.DeepCopy()
				c.lose(o)
				o.look(environment{"env-b", c.listed})
				o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
			}
		})
	}
	o := losing(t, losses["into an override that ignores a kind"])
	o.discovery.Spec.Overrides[0].Selector.DisplayNames = identifiers("*" + long)
	o.look(environment{"env-b", long})
	o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "")
	o.Expect(o.pass().Remarks).To(BeEmpty(), "it was not renamed")
	o.Expect(displayName(o.sources["env-b"])).To(Equal(long))
	o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "")
	o.restart()
	o.Expect(o.look(environment{"env-b", long}).Remarks).To(BeEmpty(), "nor while the manager was down")
}

func TestAPreviewOfAHandOverShowsTheSettingsThatItGives(t *testing.T) {
	t.Parallel()
	o := losing(t, losses["out of an override that mirrors a kind"])
	s := NewSource(o.discovery, "env-b", "payments-b")
	s.UID, s.OwnerReferences, s.Labels = "written-by-hand", nil, nil
	o.sources["env-b"] = s
	o.hear(true, environment{"env-b", "Payments-b"})
	shown := why(o.plan().Preview().Create)["env-b"]
	o.reread("env-b").Labels = pairs{v1alpha1.LabelDiscovery: "org"}
	change, _, _ := strings.Cut(why(o.plan().Preview().Change)["env-b"], "metadata.")
	o.Expect(shown).To(ContainSubstring("it changes " + change + "metadata."))
}

// ignoring gives a discovery an override that ignores the peerings of environments with names like this.
func ignoring(names string) func(*v1alpha1.EnvironmentDiscovery) {
	return func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			Peerings: v1alpha1.PeeringSelection{Policy: v1alpha1.MirrorPolicyIgnore},
			Prune:    v1alpha1.Prune{MaxPercent: ptr[int32](100)}}, names)}
	}
}

func TestAFormerNameEndsWithTheSourcesTimeWithAnotherDiscovery(t *testing.T) {
	t.Parallel()
	before, after := environment{"env-b", "Payments-b"}, environment{"env-b", "payments-b"}
	for name, between := range map[string]func(o *org){"in one process": func(*org) {}, "after a restart": (*org).restart} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, ignoring("Pay*"))
			o.look(before)
			o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
			o.pass()
			s := o.reread("env-b") // The other discovery has the source, and names it.
			s.OwnerReferences[0].UID, s.OwnerReferences[0].Name = "uid-of-other", "other"
			s.Labels[v1alpha1.LabelDiscovery] = "other"
			s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyMirror
			o.look(after)
			o.Expect(o.discovery.Status.Sources).To(BeEmpty())
			o.reread("env-b").Annotations[v1alpha1.AnnotationEnvironmentName] = after.name
			o.look(after)
			between(o)
			s = o.reread("env-b") // The source is given back.
			s.OwnerReferences, s.Labels[v1alpha1.LabelDiscovery] = nil, o.discovery.Name
			o.look(after)
			o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
			o.Expect(displayName(o.sources["env-b"])).To(Equal(after.name))
		})
	}
}

func TestAListingWithoutANameTakesNothingFromASourceHandedOver(t *testing.T) {
	t.Parallel()
	o := losing(t, losses["out of an override that mirrors a kind"])
	o.look(environment{"env-a", "payments-a"})
	s := NewSource(o.discovery, "env-b", "payments-b")
	s.UID, s.OwnerReferences = "handed-over", nil
	o.sources["env-b"] = s
	o.pass()
	o.Expect(o.sources["env-b"].Spec).To(Equal(s.Spec))
	for range 3 {
		o.look(environment{"env-a", "payments-a"}, environment{"env-b", ""})
		o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
		o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "dev-b") // Nobody may name it.
	}
	decide(o) // The template ignores clusters, and no override is left that could select the environment.
	o.look(environment{"env-a", "payments-a"}, environment{"env-b", ""})
	o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
	delete(o.sources, "env-b")
	o.Expect(o.pass().Writes).To(HaveLen(1), "it is created by what is known")
}

// Someone deletes a source that the last plan of all objects created, and the API server refuses its
// creation for a while.
func TestTheNameOfASourceThatTheLastPlanCreatedIsKept(t *testing.T) {
	t.Parallel()
	for name, plansBefore := range map[string]int{"by the last plan": 0, "by the plan before": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := environment{"env-b", "payments-b"}, environment{"env-b", "Payments-b"}
			o := losing(t, losses["out of an override that mirrors a kind"])
			o.look(before)
			for range plansBefore {
				o.pass()
			}
			spec := o.sources["env-b"].Spec
			for range 2 {
				delete(o.sources, "env-b")
				o.look(before)
				delete(o.sources, "env-b")
				o.discovery = o.discovery.DeepCopy()
				o.discovery.Status.Sources, o.discovery.Status.SourceCount = nil, 0
			}
			o.look(after)
			o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
		})
	}
}

// The manager ends between the creation of a source and the write of the status. Before the next
// listing the environment is renamed, or loses its name.
func TestARenameDecidesNothingThoughTheManagerEndedBeforeTheStatus(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Payments-b", ""} {
		t.Run("named "+name, func(t *testing.T) {
			t.Parallel()
			other := environment{"env-a", "payments-a"}
			o := losing(t, losses["out of an override that mirrors a kind"])
			o.look(other)
			unwritten := o.discovery
			o.look(other, environment{"env-b", "payments-b"})
			spec := o.sources["env-b"].Spec
			o.discovery = unwritten
			o.restart()
			o.pass()
			o.look(other, environment{"env-b", name})
			o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
		})
	}
}

// A source is handed over during a preview, and its environment is renamed before the preview ends.
func TestASourceHandedOverInAPreviewHasNoNameOfThePreview(t *testing.T) {
	t.Parallel()
	other := environment{"env-a", "prod-a"}
	o := losing(t, ignoring("dev-*"))
	o.look(other)
	s := NewSource(o.discovery, "env-b", "prod-b")
	s.UID, s.OwnerReferences = "handed-over", nil
	o.sources["env-b"] = s
	o.preview(true)
	for _, name := range []string{"dev-b", "prod-b"} {
		o.hear(true, other, environment{"env-b", name})
		o.noteStatus(o.plan())
	}
	o.preview(false)
	o.look(other, environment{"env-b", "prod-b"})
	o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
}

// preview has the discovery show its plans, and not carry them out.
func (o *org) preview(on bool) {
	o.discovery = o.discovery.DeepCopy()
	o.discovery.Spec.Preview = on
}

// noteStatus writes the status of the discovery as after a plan that changed no source.
func (o *org) noteStatus(plan *Plan) {
	o.applied = plan.AppliedNames
	present := map[string]Object{}
	for _, s := range o.owned() {
		present[s.GetName()] = s
	}
	d := o.discovery.DeepCopy()
	d.Status.Sources, d.Status.SourceCount = plan.View.Sources(present, o.applied, o.now)
	d.Status.Environments = plan.Summary.DeepCopy()
	o.discovery = d
}

// handedOver returns a source of env-b that someone made for the discovery to take, with peerings.
func handedOver(o *org) *v1alpha1.InventorySource {
	s := NewSource(o.discovery, "env-b", "dev-b")
	s.UID, s.OwnerReferences, s.Annotations = "handed-over", nil, nil
	s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyMirror
	return s
}

func TestASourceHandedOverInAPreviewKeepsItsSettingsAfterARestart(t *testing.T) {
	t.Parallel()
	first, second := environment{"env-a", "payments-a"}, environment{"env-b", "payments-b"}
	for name, listing := range map[string]func(o *org){
		"the listings fail":          func(o *org) { o.pass() },
		"a listing is incomplete":    func(o *org) { o.hear(false, first); o.pass() },
		"the environment is missing": func(o *org) { o.look(first) },
		"the cloud gives no name":    func(o *org) { o.look(first, environment{"env-b", ""}) },
	} {
		t.Run(name, func(t *testing.T) {
			o := losing(t, losses["out of an override that mirrors a kind"])
			o.look(first)
			s := NewSource(o.discovery, "env-b", "payments-b")
			s.UID, s.OwnerReferences, s.Annotations = "handed-over", nil, nil
			o.sources["env-b"] = s
			o.preview(true)
			o.hear(true, first, second)
			o.noteStatus(o.plan())
			o.preview(false)
			o.restart()
			listing(o)
			o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
		})
	}
}

// An environment is renamed while its source is already the discovery's, but has none of its settings yet.
func TestANameFromBeforeTheFirstSettingsDecidesNothing(t *testing.T) {
	t.Parallel()
	other, after := environment{"env-a", "prod-a"}, environment{"env-b", "prod-b"}
	for name, wait := range map[string]func(o *org, all ...environment){
		"unmanaged":                 func(o *org, all ...environment) { o.look(all...) },
		"refused by the API server": func(o *org, all ...environment) { o.hear(true, all...); o.noteStatus(o.plan()) },
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", restart ", restart), func(t *testing.T) {
				o := losing(t, ignoring("dev-*"))
				o.look(other)
				o.sources["env-b"] = handedOver(o)
				if name == "unmanaged" {
					o.annotate("env-b", v1alpha1.AnnotationUnmanaged, "true")
				}
				wait(o, other, environment{"env-b", "dev-b"})
				wait(o, other, after)
				if restart {
					o.restart()
				}
				if name == "unmanaged" {
					o.annotate("env-b", v1alpha1.AnnotationUnmanaged, "")
				}
				o.look(other, after)
				o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
			})
		}
	}
}

func TestOneListingWithAnotherDiscoveryEndsAFormerName(t *testing.T) {
	t.Parallel()
	before, after := environment{"env-b", "dev-b"}, environment{"env-b", "prod-b"}
	o := losing(t, ignoring("dev-*"))
	o.look(before)
	o.pass()
	s := o.reread("env-b")
	s.OwnerReferences[0].UID, s.OwnerReferences[0].Name = "uid-of-other", "other"
	s.Labels[v1alpha1.LabelDiscovery] = "other"
	s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyMirror
	o.look(after)
	s = o.reread("env-b")
	s.OwnerReferences, s.Labels[v1alpha1.LabelDiscovery] = nil, o.discovery.Name
	o.look(after)
	o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
}

// An environment is renamed twice. The first new name begins a kind, so it counts at once. Its status
// could not be written.
func TestARenameIsComparedWithTheNameThatTheSourceHas(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"a-b", "c-b"} {
		o := losing(t, func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(harmless["a kind that begins"], "b-*")}
		})
		o.look(environment{"env-b", "a-b"})
		o.look(environment{"env-b", "a-b"})
		unwritten := o.discovery
		o.look(environment{"env-b", "b-b"})
		o.discovery = unwritten
		plan := o.look(environment{"env-b", next})
		o.Expect(o.sources["env-b"].Spec.Networks.Policy).To(Equal(v1alpha1.MirrorPolicyMirror), next)
		o.Expect(plan.Remarks).NotTo(BeEmpty())
	}
}

// The status with a new name could not be written. The next plan has no listing of the environment.
func TestAnOlderNameInTheStatusUndoesNoRename(t *testing.T) {
	t.Parallel()
	other := environment{"env-a", "prod-a"}
	for name, next := range map[string]func(o *org){
		"no listing":            func(o *org) { o.pass() },
		"an incomplete listing": func(o *org) { o.hear(false, other); o.pass() },
		"a complete listing":    func(o *org) { o.look(other) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, ignoring("dev-*"))
			o.look(other, environment{"env-b", "dev-b"})
			o.look(other, environment{"env-b", "dev-b"})
			o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
			unwritten := o.discovery
			decide(o, overrideOf(v1alpha1.MirrorSettings{}, "none"))
			o.look(other, environment{"env-b", "prod-b"})
			decide(o, unwritten.Spec.Overrides...)
			o.look(other, environment{"env-b", "prod-b"})
			o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
			o.discovery = unwritten
			next(o)
			o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
		})
	}
}

// A source is released. Its environment is renamed meanwhile, or in the listing that releases it.
func TestANameFromTheTimeOfAReleaseDecidesNothing(t *testing.T) {
	t.Parallel()
	for _, restart := range []string{"never", "while it is released", "after it is taken back"} {
		for _, names := range [][]string{{"a-b", "dev-b"}, {"dev-b"}, {"other", "dev-b", "dev-b"}} {
			o := losing(t, ignoring("none"))
			o.look(environment{"env-b", "a-b"})
			o.look(environment{"env-b", "a-b"})
			o.annotate("env-b", v1alpha1.AnnotationUnmanaged, "true")
			for _, name := range names {
				o.look(environment{"env-b", name})
			}
			if restart == "while it is released" {
				o.restart()
				o.pass()
			}
			o.discovery = o.discovery.DeepCopy()
			ignoring("dev-*")(o.discovery)
			o.look(environment{"env-b", "dev-b"})
			o.annotate("env-b", v1alpha1.AnnotationUnmanaged, "")
			if restart == "after it is taken back" {
				o.restart()
			}
			o.look(environment{"env-b", "dev-b"})
			o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror), "restart %s, names %v", restart, names)
		}
	}
}

// A source is deleted by a prune, and created again under another name: no source has the former name.
func TestASourceThatAPruneDeletedHasNoFormerName(t *testing.T) {
	t.Parallel()
	other := environment{"env-a", "prod-a"}
	for name, leave := range map[string]func(o *org, listed bool){
		"its environment was missing": func(o *org, listed bool) {
			if listed {
				o.look(other, environment{"env-b", "prod-b"})
			} else {
				o.look(other)
			}
		},
		"it was not selected": func(o *org, listed bool) {
			o.discovery = o.discovery.DeepCopy()
			o.discovery.Spec.Selector.Exclude.IDs = nil
			if !listed {
				o.discovery.Spec.Selector.Exclude.IDs = identifiers("env-b")
			}
			if held := o.look(other, environment{"env-b", "prod-b"}).Held; held != nil {
				o.discovery.Annotations = pairs{v1alpha1.AnnotationApprovePrune: held.Digest}
			}
		},
	} {
		for when, between := range map[string]func(o *org){"": func(*org) {}, ", and a restart": (*org).restart} {
			t.Run(name+when, func(t *testing.T) {
				t.Parallel()
				o := losing(t, ignoring("prod-*"))
				o.discovery.Spec.Prune = v1alpha1.SourcePrune{Policy: v1alpha1.PrunePolicyDelete, MaxPercent: ptr[int32](100)}
				o.look(other, environment{"env-b", "dev-b"})
				for range 6 {
					leave(o, false)
				}
				o.Expect(o.sources).NotTo(HaveKey("env-b"))
				between(o)
				leave(o, true)
				o.Expect(displayName(o.sources["env-b"])).To(Equal("prod-b"))
				o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
			})
		}
	}
}

// The manager starts while a source is gone, and the first listings fail.
func TestTheNameOfADeletedSourceOutlivesARestart(t *testing.T) {
	t.Parallel()
	o := losing(t, ignoring("dev-*"))
	o.look(environment{"env-b", "prod-b"})
	delete(o.sources, "env-b")
	o.restart()
	o.pass()
	o.look(environment{"env-b", "dev-b"})
	o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
}

// The status has no room for the source. The annotation of the source is read once, so a later edit of it
// decides nothing.
func TestANameForWhichTheStatusHasNoRoomIsReadOnce(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(o *org){
		"the annotation is edited": func(o *org) { o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "dev-b") },
		"the source is deleted":    func(o *org) { delete(o.sources, "env-b") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, ignoring("dev-*"))
			o.look(environment{"env-b", "prod-b"})
			o.discovery.Status.Sources = nil
			o.restart()
			o.look(environment{"env-b", "prod-b"})
			o.discovery.Status.Sources = nil
			change(o)
			o.look(environment{"env-b", "dev-b"})
			o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
		})
	}
}

// A repair writes no status, so it may not change by which name a source has its settings.
func TestARepairTakesNoSourceBack(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(o *org) Object{
		"deleted": func(*org) Object { return nil },
		"released": func(o *org) Object {
			o.annotate("env-b", v1alpha1.AnnotationUnmanaged, "true")
			return o.sources["env-b"]
		},
		"taken back": func(o *org) Object {
			o.reread("env-b").OwnerReferences = nil
			return o.sources["env-b"]
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrg(t)
			o.list(true, "env-b")
			view := o.pass().View
			drifted := o.reread("env-b")
			drifted.Spec.Endpoint = "https://elsewhere"
			o.Expect(view.Repair(map[string]Object{"env-b": drifted}, o.now).Writes).To(HaveLen(1))
			o.Expect(view.Repair(map[string]Object{"env-b": change(o)}, o.now)).To(BeNil())
		})
	}
}

// A source is handed over in a preview. After the preview the discovery takes it, and the manager ends
// before the status: the status has an entry without a name.
func TestAnEntryOfAPreviewHasNoNameYet(t *testing.T) {
	t.Parallel()
	first, second := environment{"env-a", "payments-a"}, environment{"env-b", "payments-b"}
	o := losing(t, losses["out of an override that mirrors a kind"])
	o.look(first)
	s := NewSource(o.discovery, "env-b", "payments-b")
	s.UID, s.OwnerReferences, s.Annotations = "handed-over", nil, nil
	o.sources["env-b"] = s
	o.preview(true)
	o.hear(true, first, second)
	o.noteStatus(o.plan())
	o.Expect(o.discovery.Status.Sources).To(ContainElement(And(HaveField("Environment", "env-b"), HaveField("NeverListed", true))))
	o.preview(false)
	unwritten := o.discovery
	o.look(first, second)
	o.discovery = unwritten
	o.restart()
	o.look(first, environment{"env-b", "Payments-b"})
	o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
}

func TestSourcesWithoutANameFollowTheTemplateThoughTheStatusHasNoRoom(t *testing.T) {
	t.Parallel()
	o := losing(t, func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			Networks: v1alpha1.NetworkSelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	})
	o.many = true
	var all []environment
	for _, id := range environmentIDs(502) {
		all = append(all, environment{id, ""})
	}
	o.look(all...)
	o.look(all...)
	o.discovery = o.discovery.DeepCopy()
	o.discovery.Spec.Template.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore
	o.look(all...)
	o.look(all...)
	left := 0
	for _, s := range o.sources {
		if s.Spec.Peerings.Policy != v1alpha1.MirrorPolicyIgnore {
			left++
		}
	}
	o.Expect(left).To(BeZero())
}

// The API server stores a write, and the manager does not get the answer. The next plan finds the source as
// it should be.
func TestANameCountsThoughTheAnswerToItsWriteWasLost(t *testing.T) {
	t.Parallel()
	o := losing(t, func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(harmless["a kind that begins"], "b-*")}
	})
	o.look(environment{"env-b", "a-b"})
	o.hear(true, environment{"env-b", "b-b"})
	plan := o.plan()
	o.Expect(plan.Writes).To(HaveLen(1))
	o.sources["env-b"], o.applied = stored(plan.Writes[0].Desired).(*v1alpha1.InventorySource), plan.AppliedNames
	o.Expect(o.pass().Writes).To(BeEmpty())
	o.look(environment{"env-b", "c-b"})
	o.Expect(o.sources["env-b"].Spec.Networks.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
}

func TestASourceWithoutANameFollowsTheTemplateThoughTheManagerEndedBeforeTheStatus(t *testing.T) {
	t.Parallel()
	o := losing(t, ignoring("dev-*"))
	unwritten := o.discovery
	o.look(environment{"env-b", ""})
	o.discovery = unwritten
	o.restart()
	o.look(environment{"env-b", ""})
	o.discovery = o.discovery.DeepCopy()
	o.discovery.Spec.Template.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore
	o.pass()
	o.Expect(o.sources["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
}

// A source is handed over, and the API server refuses each write of it. Then its environment goes.
func TestASourceThatTheDiscoveryNeverHadIsNotDeletedWithoutAnApproval(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		others := environmentIDs(9)
		o := discovered(t, others...)
		o.handOver("")
		listing := func(ids ...string) *Plan {
			o.hear(true, named(ids...)...)
			plan := o.plan()
			o.noteStatus(plan)
			return plan
		}
		listing(append(others, "env-b")...)
		if restart {
			o.restart()
			listing(append(others, "env-b")...)
		}
		var plan *Plan
		for range 4 {
			plan = listing(others...)
			o.Expect(plan.Deletes).To(BeEmpty())
		}
		o.Expect(plan.Held).To(HaveField("Reason", v1alpha1.ReasonScopeChanged))
	}
}

// handOver replaces the source of env-b by one that a person made and handed over.
func (o *org) handOver(name string) *v1alpha1.InventorySource {
	s := NewSource(o.discovery, "env-b", name)
	s.UID, s.OwnerReferences, s.Annotations = "handed-over", nil, nil
	o.sources["env-b"] = s
	return s
}

// The API server refuses each write of a source that was handed over, or a preview makes none. The
// environment goes. Then the source is written.
func TestASourceThatIsWrittenWhenItsEnvironmentIsGoneIsNotDeletedWithoutAnApproval(t *testing.T) {
	t.Parallel()
	for _, preview := range []bool{false, true} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(preview, restart), func(t *testing.T) {
				t.Parallel()
				others := environmentIDs(9)
				o := discovered(t, others...)
				o.handOver("")
				unwritten := func(ids ...string) {
					o.hear(true, named(ids...)...)
					o.noteStatus(o.plan())
				}
				o.preview(preview)
				unwritten(append(others, "env-b")...)
				for range 3 {
					unwritten(others...)
				}
				o.preview(false)
				o.list(true, others...)
				o.Expect(metav1.IsControlledBy(o.sources["env-b"], o.discovery)).To(BeTrue())
				if restart {
					o.restart()
				}
				var plan *Plan
				for range 4 {
					plan = o.list(true, others...)
					o.Expect(plan.Deletes).To(BeEmpty())
				}
				o.Expect(plan.Held).To(HaveField("Reason", v1alpha1.ReasonScopeChanged))
				o.list(true, append(others, "env-b")...) // Now the discovery decides its settings while it is listed.
				for range 4 {
					o.list(true, others...)
				}
				o.Expect(o.sources).NotTo(HaveKey("env-b"))
			})
		}
	}
}

// The API server stores a write, and the manager does not get the answer. The environment is renamed
// before the next plan.
func TestANameCountsThoughTheEnvironmentIsRenamedBeforeTheNextPlan(t *testing.T) {
	t.Parallel()
	lose := func(o *org, all ...environment) {
		o.hear(true, all...)
		plan := o.plan()
		o.Expect(plan.Writes).To(HaveLen(1))
		o.noteStatus(plan)
		w := plan.Writes[0]
		o.sources["env-b"], o.applied = stored(w.Desired).(*v1alpha1.InventorySource), plan.AppliedNames
		o.failed = map[string]Write{"env-b": w}
	}
	t.Run("of a renamed environment", func(t *testing.T) {
		t.Parallel()
		o := losing(t, func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(harmless["a kind that begins"], "b-*")}
		})
		o.look(environment{"env-b", "a-b"})
		lose(o, environment{"env-b", "b-b"})
		o.look(environment{"env-b", "c-b"})
		o.Expect(o.sources["env-b"].Spec.Networks.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
	})
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprint("of a source that was handed over, with a restart ", restart), func(t *testing.T) {
			t.Parallel()
			first := environment{"env-a", "payments-a"}
			o := losing(t, losses["out of an override that mirrors a kind"])
			o.look(first)
			o.handOver("payments-b")
			lose(o, first, environment{"env-b", "payments-b"})
			if restart {
				o.failed = nil
				o.restart()
			}
			o.look(first, environment{"env-b", "Payments-b"})
			o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
		})
	}
}

func TestANameThatTheAPIServerRefusedDoesNotCount(t *testing.T) {
	t.Parallel()
	o := losing(t, losses["out of an override that mirrors a kind"])
	first := environment{"env-a", "payments-a"}
	o.look(first)
	o.handOver("").Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
	o.hear(true, first, environment{"env-b", "payments-b"})
	plan := o.plan()
	o.Expect(plan.Writes).To(HaveLen(1))
	o.applied, o.failed = plan.AppliedNames, map[string]Write{"env-b": plan.Writes[0]}
	o.look(first, environment{"env-b", "dev-b"})
	o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
	o.Expect(displayName(o.sources["env-b"])).To(Equal("dev-b"))
	o.Expect(o.discovery.Status.Sources[1].DisplayName).To(Equal("dev-b"))
}

// A person removes the ownerReference and the label of a source. So for one plan, the source belongs to
// nobody. Then the person adds the ownerReference again, with another name in the annotation.
func TestANameForgedInTwoEditsDoesNotCount(t *testing.T) {
	t.Parallel()
	o := losing(t, losses["out of an override that mirrors a kind"])
	all := []environment{{"env-a", "payments-a"}, {"env-b", "dev-b"}}
	o.look(all...)
	owners := o.reread("env-b").OwnerReferences
	o.sources["env-b"].OwnerReferences, o.sources["env-b"].Labels = nil, nil
	o.pass()
	o.reread("env-b").OwnerReferences = owners
	o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "payments-x")
	o.Expect(o.look(all...).Remarks).To(BeEmpty())
	o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
}

func TestASourceWithoutANameThatAPersonReplacedKeepsItsSettings(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		o := losing(t, losses["out of an override that mirrors a kind"])
		all := []environment{{"env-a", "payments-a"}, {"env-b", ""}}
		o.look(all...)
		o.handOver("").Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyMirror
		if restart {
			o.restart()
		}
		o.look(all...)
		o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
	}
}

func TestSourcesThatKeepTheirSettingsAreNamed(t *testing.T) {
	t.Parallel()
	o := losing(t, losses["out of an override that mirrors a kind"])
	all := []environment{{"env-a", "payments-a"}, {"env-b", ""}}
	o.handOver("").Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyMirror
	o.Expect(o.look(all...).Remarks).To(ConsistOf(And(HavePrefix("settings that stay as they are, because"), HaveSuffix(": env-b"))))
	all[1].name = "dev-b"
	o.Expect(o.look(all...).Remarks).To(BeEmpty())
}

// The discovery's source is deleted, and not made again. A person's own source takes the name.
func TestASourceInPlaceOfAnotherIsNotDeletedWithoutAnApproval(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		others := environmentIDs(9)
		o := discovered(t, append(others, "env-b")...)
		o.list(true, append(others, "env-b")...)
		o.preview(true)
		if !restart {
			delete(o.sources, "env-b")
			o.hear(true, named(append(others, "env-b")...)...)
			o.noteStatus(o.plan())
		}
		o.handOver("")
		if restart { // The manager was down meanwhile.
			o.restart()
		}
		o.hear(true, named(others...)...)
		o.noteStatus(o.plan())
		o.preview(false)
		var plan *Plan
		for range 4 {
			plan = o.list(true, others...)
			o.Expect(plan.Deletes).To(BeEmpty())
		}
		o.Expect(plan.Held).To(HaveField("Reason", v1alpha1.ReasonScopeChanged))
	}
}

func TestSettingsFromBeforeAListingDecideNothingAfterARestart(t *testing.T) {
	t.Parallel()
	settingsFromBeforeAListingDecideNothing(t, 9)
}

func TestSettingsFromBeforeAListingDecideNothingThoughTheStatusHasNoRoom(t *testing.T) {
	t.Parallel()
	settingsFromBeforeAListingDecideNothing(t, 505)
}

// settingsFromBeforeAListingDecideNothing hands a source over to a discovery with n others. The source
// gets its settings while its environment is gone. The environment comes after a restart, the API
// server refuses the write, and the environment goes again.
func settingsFromBeforeAListingDecideNothing(t *testing.T, n int) {
	others := environmentIDs(n)
	o := discovered(t, others...)
	o.many = n > maxSources
	o.handOver("")
	o.list(true, others...)
	o.restart()
	o.list(true, others...)
	o.hear(true, append(named(others...), environment{"env-b", ""})...)
	o.noteStatus(o.plan())
	for range 4 {
		o.Expect(o.list(true, others...).Deletes).To(BeEmpty())
	}
}

// A person writes the name and the settings of another override into a source while the manager is down.
func TestNameAndSettingsThatAPersonWroteIntoAListedSourceDoNotCount(t *testing.T) {
	t.Parallel()
	o := losing(t, losses["out of an override that mirrors a kind"])
	all := []environment{{"env-a", "payments-a"}, {"env-b", "dev-b"}}
	o.look(all...)
	o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "payments-x")
	o.reread("env-b").Spec = NewSource(o.discovery, "env-b", "payments-x").Spec
	o.restart()
	for range 2 {
		o.Expect(o.look(all...).Remarks).To(BeEmpty())
	}
	o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
}

// The manager writes a renamed source, and ends before it writes the status. The next manager gets no
// listing of the environment at first.
func TestASourceIsNotWrittenBackToTheNameOfAnOlderStatus(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(o *org){
		"the cloud is down":          func(o *org) { o.pass() },
		"the environment is missing": func(o *org) { o.look(environment{"env-c", "c"}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, func(d *v1alpha1.EnvironmentDiscovery) {
				d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(harmless["a kind that begins"], "b-*")}
			})
			o.look(environment{"env-b", "a-b"}, environment{"env-c", "c"})
			unwritten := o.discovery
			o.look(environment{"env-b", "b-b"}, environment{"env-c", "c"})
			o.Expect(o.sources["env-b"].Spec.Networks.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
			o.discovery = unwritten
			o.restart()
			begin(o)
			begin(o)
			o.Expect(o.sources["env-b"].Spec.Networks.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
			o.Expect(displayName(o.sources["env-b"])).To(Equal("b-b"))
			o.Expect(o.discovery.Status.Sources[0].DisplayName).To(Equal("b-b"))
			o.look(environment{"env-b", "c-b"}, environment{"env-c", "c"})
			o.Expect(o.sources["env-b"].Spec.Networks.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
		})
	}
}

func TestANameInASourceThatIsHandedOverDoesNotCount(t *testing.T) {
	t.Parallel()
	o := losing(t, losses["out of an override that mirrors a kind"])
	o.look(environment{"env-a", "payments-a"})
	o.handOver("payments-x").Annotations = map[string]string{v1alpha1.AnnotationEnvironmentName: "payments-x"}
	o.Expect(o.look(environment{"env-a", "payments-a"}, environment{"env-b", "dev-b"}).Remarks).To(BeEmpty())
	o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
}

func TestNameAndSettingsThatAPersonWroteIntoAMissingSourceDoNotCount(t *testing.T) {
	t.Parallel()
	o := losing(t, func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(harmless["a kind that begins"], "b-*")}
	})
	o.look(environment{"env-b", "a-b"}, environment{"env-c", "c"})
	o.restart()
	o.look(environment{"env-c", "c"})
	o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "b-b")
	o.reread("env-b").Spec = NewSource(o.discovery, "env-b", "b-b").Spec
	o.pass()
	o.Expect(o.sources["env-b"].Spec.Networks.Policy).NotTo(Equal(v1alpha1.MirrorPolicyMirror))
	o.Expect(displayName(o.sources["env-b"])).To(Equal("a-b"))
}

// A person takes the ownerReference off a source, or a restored backup lacks it, while the environment is
// missing.
func TestASourceThatLostItsOwnerReferenceIsDecided(t *testing.T) {
	t.Parallel()
	others := environmentIDs(9)
	o := discovered(t, append(others, "env-b")...)
	o.list(true, append(others, "env-b")...)
	o.discovery.Spec.Prune.GracePeriod = seconds(60)
	o.list(true, others...)
	o.reread("env-b").OwnerReferences = nil
	o.list(true, others...)
	o.now = o.now.Add(seconds(3600).Duration)
	for range 2 {
		o.list(true, others...)
	}
	o.Expect(o.sources).NotTo(HaveKey("env-b"))
}

// The selector no longer takes an environment, which is listed and renamed.
func TestARenameOutOfScopeCountsAfterARestart(t *testing.T) {
	t.Parallel()
	other := environment{"env-c", "c"}
	for _, restart := range []bool{false, true} {
		o := losing(t, func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(harmless["a kind that begins"], "b-*")}
		})
		o.look(environment{"env-b", "a-b"}, other)
		o.discovery = o.discovery.DeepCopy()
		o.discovery.Spec.Selector.Exclude.IDs = identifiers("env-b")
		o.look(environment{"env-b", "a-b"}, other)
		if restart {
			o.restart()
		}
		for range 2 {
			o.look(environment{"env-b", "b-b"}, other)
		}
		o.Expect(o.discovery.Status.Sources[0]).To(And(HaveField("DisplayName", "b-b"), HaveField("Overrides", int32(1))))
		o.look(environment{"env-b", "c-b"}, other)
		o.Expect(o.sources["env-b"].Spec.Networks.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
	}
}

// A source that was handed over is written while its environment is missing. The environment is listed,
// the only write takes missing-since off, and the API server refuses it.
func TestAWriteThatOnlyRemovesIsNotTakenForStored(t *testing.T) {
	t.Parallel()
	others := environmentIDs(9)
	o := discovered(t, others...)
	o.handOver("")
	for range 2 {
		o.list(true, others...)
	}
	for range 3 {
		o.hear(true, append(named(others...), environment{"env-b", ""})...)
		plan := o.plan()
		o.Expect(plan.Writes).To(HaveLen(1))
		o.noteStatus(plan)
		o.applied, o.failed = plan.AppliedNames, map[string]Write{"env-b": plan.Writes[0]}
	}
	for range 4 {
		o.Expect(o.list(true, others...).Deletes).To(BeEmpty())
		o.failed = nil
	}
}

// A person deletes a source, the discovery makes it again, and the new one loses its ownerReference.
func TestTheNameOfASourceThatWasMadeAgainOutlivesItsOwnerReference(t *testing.T) {
	t.Parallel()
	o := losing(t, losses["out of an override that mirrors a kind"])
	all := []environment{{"env-a", "payments-a"}, {"env-b", "payments-b"}}
	o.look(all...)
	o.look(all...)
	delete(o.sources, "env-b")
	o.look(all...)
	o.reread("env-b").OwnerReferences = nil
	all[1].name = "Payments-b"
	o.look(all...)
	o.Expect(o.sources["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
}
