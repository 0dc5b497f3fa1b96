// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	// namespaceCount is how many namespaces there are. Each has two sources with one credential.
	namespaceCount = 4
	// interval is the sources' spec.interval, the shortest allowed.
	interval = 10 * time.Second
	// timeout is the sources' spec.timeout. It is short, so that a listing that hangs does not
	// delay a round.
	timeout = 2 * time.Second
	// downtime is how long chaos itself waits for an API server that restarts.
	downtime = 2 * time.Minute
)

// harness has everything that chaos disturbs and checks.
type harness struct {
	*stage.Stage
	seed       uint64
	dir        string
	cloudProxy *cloudProxy
	apiProxy   *apiProxy
	managers   *managers
	namespaces []*testNamespace
	faults     *faultSchedule
	audit      *auditLog
	leaks      *leaks
	tally      *tally
	journal    *journal

	// admin reads, and writes as a user does. stranger makes changes that the operator should
	// correct.
	admin    client.WithWatch
	stranger client.Client
	clients  *kubernetes.Clientset
	// markers counts the marks that were set in the audit log.
	markers int
}

// newHarness starts everything except the managers. If there is an error, it stops what it has
// started.
func newHarness(ctx context.Context, set settings, dir string, t *tally) (*harness, error) {
	h := &harness{seed: set.seed, dir: dir, leaks: newLeaks(), tally: t, faults: &faultSchedule{},
		audit: &auditLog{path: filepath.Join(dir, "audit.log")}}
	if err := h.start(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *harness) start(ctx context.Context) error {
	var err error
	if h.journal, err = newJournal(filepath.Join(h.dir, "journal.log")); err != nil {
		return err
	}
	if h.Stage, err = stage.Start(ctx, stage.Options{Dir: h.dir, AuditLog: h.audit.path}); err != nil {
		return err
	}
	if h.cloudProxy, err = startCloudProxy(h.Cloud.Handler()); err != nil {
		return err
	}
	if h.apiProxy, err = startAPIProxy(h.Plane.Config(), h.Kubeconfig()); err != nil {
		return err
	}
	if err := h.connect(); err != nil {
		return err
	}
	h.managers = newManagers(h.Stage, h.cloudProxy.URL, h.journal)
	for i := range namespaceCount {
		n := newNamespace(h, i)
		if err := n.create(ctx); err != nil {
			return err
		}
		h.namespaces = append(h.namespaces, n)
	}
	return nil
}

// connect makes the clients.
func (h *harness) connect() error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	var err error
	if h.admin, err = client.NewWithWatch(h.Plane.Config(), client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if h.clients, err = kubernetes.NewForConfig(h.Plane.Config()); err != nil {
		return err
	}
	config := h.Plane.Config()
	config.UserAgent = strangerAgent
	h.stranger, err = client.New(config, client.Options{Scheme: scheme})
	return err
}

// close ends everything that newHarness started.
func (h *harness) close() error {
	var errs []error
	if h.managers != nil {
		errs = append(errs, h.managers.stopForGood())
	}
	if h.cloudProxy != nil {
		h.cloudProxy.close()
	}
	if h.apiProxy != nil {
		h.apiProxy.close()
	}
	if h.Stage != nil {
		errs = append(errs, h.Stop())
	}
	if h.journal != nil {
		errs = append(errs, h.journal.close())
	}
	return errors.Join(errs...)
}

// sources returns the sources of all namespaces.
func (h *harness) sources() []*source {
	var all []*source
	for _, n := range h.namespaces {
		all = append(all, n.sources...)
	}
	return all
}

// persist calls do again while the API server is not available.
func persist(ctx context.Context, do func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, downtime, true, func(ctx context.Context) (bool, error) {
		last = do(ctx)
		var said apierrors.APIStatus
		answered := errors.As(last, &said) && said.Status().Code < 500 && !apierrors.IsTooManyRequests(last) && !apierrors.IsUnauthorized(last) && !apierrors.IsForbidden(last)
		if last != nil && answered {
			return false, last
		}
		return last == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}

// follow watches an object until so returns true for a version of it. It reports whether that
// happened before the deadline. list is an empty list of the object's kind. If the watch ends, for
// example because the API server restarts, follow begins another one.
func (h *harness) follow(ctx context.Context, key client.ObjectKey, list client.ObjectList, deadline time.Time, so func(client.Object) bool) (bool, error) {
	within, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	// The API server begins with the version in its memory, and reads nothing from its storage.
	options := &client.ListOptions{Namespace: key.Namespace, FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, key.Name),
		Raw: &metav1.ListOptions{ResourceVersion: "0"}}
	err := wait.PollUntilContextCancel(within, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		w, err := h.admin.Watch(ctx, list, options)
		if err != nil {
			return false, nil // The API server may be restarting.
		}
		defer w.Stop()
		for event := range w.ResultChan() {
			if o, ok := event.Object.(client.Object); ok && so(o) {
				return true, nil
			}
		}
		return false, nil
	})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return err == nil, nil
}

// journal is the log of what was done and when. People use it to understand a violation.
type journal struct {
	mu   sync.Mutex
	file *os.File
}

func newJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &journal{file: file}, nil
}

// note adds a line.
func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = fmt.Fprintf(j.file, clockTime(time.Now())+" "+format+"\n", args...) // A full disk shows in the other logs.
}

func (j *journal) close() error { return j.file.Close() }
