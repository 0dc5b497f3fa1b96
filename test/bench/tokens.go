// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	// sharers is the number of sources that share one identity.
	sharers = 500
	// sharedLife is the lifetime of a token here. The operator replaces a token after half of it, and
	// syncs each source about as often.
	sharedLife, replaced = 20 * time.Second, 10 * time.Second
	// observedFor is the time for which exchanges are counted.
	observedFor = time.Minute
	// usualReplaced is the age at which the operator replaces a token of 15 minutes, the lifetime in
	// Confluent Cloud: a minute before the end.
	usualReplaced = 14 * time.Minute
	reader        = "reader"
	pool          = "pool-bench"
)

// tokens counts the exchanges of many sources that share one identity.
func (b *bench) tokens(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("%d sources of one identity, each synced every %s for %s; a token is replaced after %s", sharers, replaced, observedFor, replaced)
	if err := b.enter(ctx); err != nil {
		return err
	}
	if err := b.manage(ctx); err != nil {
		return err
	}
	namespace, err := b.scene.trust(ctx)
	if err != nil {
		return err
	}
	for i := range sharers {
		if err := b.scene.share(ctx, namespace, i); err != nil {
			return err
		}
	}
	if err := b.scene.allSynced(ctx, namespace); err != nil {
		return err
	}
	first := float64(b.scene.Cloud.Count(cloudsim.OpExchange))
	before, err := b.count(ctx)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(observedFor):
	}
	after, err := b.count(ctx)
	if err != nil {
		return err
	}
	exchanges := float64(b.scene.Cloud.Count(cloudsim.OpExchange)) - first
	each := exchanges / (float64(observedFor) / float64(replaced))
	c := after.since(before)
	s.goal("exchanges until every source was synced once", first, "", "<=", 1+float64(time.Minute/replaced))
	s.add("requests to the cloud", float64(c.cloud), "")
	s.add("exchanges", exchanges, "")
	s.goal("exchanges each time the token is replaced", each, "", "<=", 1.5)
	s.add("tokens of the ServiceAccount", c.server.sum("apiserver_request_total", label{"resource", "serviceaccounts"}, label{"subresource", "token"}, label{"verb", "POST"}), "")
	usual := float64(time.Hour) / float64(usualReplaced)
	s.add("exchanges an hour, if tokens live 15 minutes", each*usual, "")
	s.add("the same, if each source had a token of its own", sharers*usual, "")
	return b.leave()
}

// trust makes a namespace with a ServiceAccount whose tokens the cloud and the manager may use.
func (s *scene) trust(ctx context.Context) (namespace string, err error) {
	text, err := s.Kubectl(ctx, "get", "--raw", "/.well-known/openid-configuration")
	if err != nil {
		return "", err
	}
	var discovery struct{ Issuer string }
	if err := json.Unmarshal([]byte(text), &discovery); err != nil {
		return "", fmt.Errorf("the API server's issuer: %w", err)
	}
	s.Cloud.SetProvider(cloudsim.Provider{Issuer: discovery.Issuer, Keys: func(ctx context.Context) ([]byte, error) {
		keys, err := s.Kubectl(ctx, "get", "--raw", "/openid/v1/jwks")
		return []byte(keys), err
	}})
	s.Cloud.AddPool(cloudsim.Pool{ID: pool, Audience: v1alpha1.DefaultAudience})
	s.Cloud.SetTokenLife(sharedLife, sharedLife)
	source, err := s.newSource(ctx)
	if err != nil {
		return "", err
	}
	in := metav1.ObjectMeta{Name: reader, Namespace: source.Namespace}
	return source.Namespace, errors.Join(
		s.k8s.Create(ctx, &corev1.ServiceAccount{ObjectMeta: in}),
		s.k8s.Create(ctx, &rbacv1.Role{ObjectMeta: in, Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{""}, Resources: []string{"serviceaccounts/token"}, ResourceNames: []string{reader}, Verbs: []string{"create"}}}}),
		s.k8s.Create(ctx, &rbacv1.RoleBinding{ObjectMeta: in,
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: reader},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: stage.Namespace, Name: stage.ServiceAccount}}}),
	)
}

// share makes one more environment, which is empty, and its source.
func (s *scene) share(ctx context.Context, namespace string, i int) error {
	id := fmt.Sprintf("env-shared%d", i)
	s.Cloud.AddEnvironment(id)
	return s.k8s.Create(ctx, &v1alpha1.InventorySource{
		ObjectMeta: metav1.ObjectMeta{Name: id, Namespace: namespace},
		Spec: v1alpha1.InventorySourceSpec{
			Environment: id,
			Endpoint:    s.Server.URL,
			MirrorSettings: v1alpha1.MirrorSettings{
				Interval: &metav1.Duration{Duration: replaced},
			},
			Credentials: v1alpha1.Credentials{WorkloadIdentity: &v1alpha1.WorkloadIdentityCredential{
				IdentityPool: pool, ServiceAccountName: reader, TokenEndpoint: s.Server.URL + "/sts/v1/oauth2/token"}},
		},
	})
}

// allSynced waits until every source of a namespace is ready.
func (s *scene) allSynced(ctx context.Context, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, waitMost)
	defer cancel()
	for {
		list := &v1alpha1.InventorySourceList{}
		if err := s.k8s.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return err
		}
		whole := 0
		for i := range list.Items {
			if ready(&list.Items[i]) {
				whole++
			}
		}
		if whole == sharers {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d sources are ready: %w; the manager's log ends in\n%s", whole, sharers, ctx.Err(), s.manager.Tail())
		case <-time.After(time.Second):
		}
	}
}
