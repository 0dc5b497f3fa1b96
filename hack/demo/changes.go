// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// change is something that happens in the cloud, and how it shows in the cluster.
type change struct {
	what   string
	happen func() error
	// object and path name the field that shows it, want what it then holds; ""
	// waits for the object to go.
	object, path, want string
}

// changes lets several things happen in the cloud at once and shows each arriving.
func (s *show) changes(ctx context.Context) error {
	changes, err := s.pick()
	if err != nil {
		return err
	}
	step("Now the cloud changes")
	seen := map[string]string{}
	for _, c := range changes {
		if seen[c.object], err = s.value(ctx, c.object, c.path); err != nil {
			return err
		}
	}
	for _, c := range changes {
		if err := c.happen(); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		say("%s", c.what)
	}
	step("The operator asks every 10 s, and confirms an absence with a second listing")
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, arrival)
	defer cancel()
	for pending := changes; len(pending) > 0; {
		var later []change
		for _, c := range pending {
			arrived, err := s.look(ctx, c, seen, start)
			if err != nil {
				return fmt.Errorf("%s did not show within %s: %w", c.what, arrival, err)
			}
			if !arrived {
				later = append(later, c)
			}
		}
		pending = later
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// look reads the field that shows a change, says what is new, and reports whether
// the change has arrived.
func (s *show) look(ctx context.Context, c change, seen map[string]string, start time.Time) (bool, error) {
	value, err := s.value(ctx, c.object, c.path)
	if err != nil {
		return false, err
	}
	if before := seen[c.object]; before != value {
		switch {
		case value == "":
			say("after %5s  %s is gone", since(start), c.object)
		case before == "":
			say("after %5s  %s is there: %s", since(start), c.object, value)
		default:
			say("after %5s  %s: %s -> %s", since(start), c.object, before, value)
		}
	}
	seen[c.object] = value
	return value == c.want, nil
}

// pick chooses what happens to whom.
func (s *show) pick() ([]change, error) {
	var provisioning, provisioned, ready string
	for _, c := range s.Cloud.Clusters(environment) {
		switch c.Status.Phase {
		case cloudsim.PhaseProvisioning:
			provisioning = c.ID
		case cloudsim.PhaseProvisioned:
			provisioned = c.ID
		}
	}
	for _, p := range s.Cloud.Peerings(environment) {
		if p.Status.Phase == cloudsim.PhaseReady {
			ready = p.ID
		}
	}
	if provisioning == "" || provisioned == "" || ready == "" {
		return nil, fmt.Errorf("the seeded inventory lacks a phase: provisioning %q, provisioned %q, ready %q", provisioning, provisioned, ready)
	}
	template, _ := s.Cloud.Cluster(provisioned)
	template.ID, template.Spec.DisplayName, template.Metadata = "lkc-brandnew", "brand-new", cloudsim.Metadata{}
	template.Status.Phase = cloudsim.PhaseProvisioning
	observed := `.status.conditions[?(@.type=="Observed")].reason`
	return []change{
		{"cluster " + provisioning + " is provisioned", func() error {
			return s.Cloud.SetClusterPhase(provisioning, cloudsim.PhaseProvisioned)
		}, "kco/" + provisioning, ".status.phase", cloudsim.PhaseProvisioned},
		{"peering " + ready + " is disconnected", func() error {
			return s.Cloud.SetPeeringPhase(ready, cloudsim.PhaseDisconnected)
		}, "peo/" + ready, ".status.phase", cloudsim.PhaseDisconnected},
		{"cluster lkc-brandnew appears", func() error {
			s.Cloud.PutCluster(template)
			return nil
		}, "kco/lkc-brandnew", ".status.phase", cloudsim.PhaseProvisioning},
		{"cluster " + provisioned + " goes", func() error {
			return s.Cloud.RemoveCluster(provisioned)
		}, "kco/" + provisioned, observed, ""},
		{"environment " + arriving + " appears, with 3 clusters", func() error {
			cloudsim.Seed(s.Cloud, cloudsim.SeedOptions{Environment: arriving, Clusters: 3, Seed: 3})
			return nil
		}, "isrc/" + arriving, ".status.kafkaClusters.observed", "3"},
		{"environment " + leaving + " goes", func() error {
			return s.Cloud.RemoveEnvironment(leaving)
		}, "isrc/" + leaving, ".metadata.name", ""},
	}, nil
}
