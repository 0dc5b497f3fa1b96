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
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	// cellCount is how many cells there are. Each has two sources with one credential.
	cellCount = 4
	// interval is the sources'; no shorter one is allowed.
	interval = 10 * time.Second
	// timeout is how long a listing may take: short, so that one that hangs does not
	// hold up a round.
	timeout = 2 * time.Second
	// downtime is how long the harness itself waits for an API server that restarts.
	downtime = 2 * time.Minute
)

// world is all that is disturbed, and what is known of it.
type world struct {
	*stage.Stage
	seed    uint64
	dir     string
	front   *front
	api     *apiFront
	crew    *crew
	cells   []*cell
	weather *weather
	audit   *auditLog
	leaks   *leaks
	tally   *tally
	journal *journal

	// admin reads, and writes what a user would; stranger writes what nobody should.
	admin, stranger client.Client
	clients         *kubernetes.Clientset
	// markers counts the marks set in the audit log.
	markers int
}

// newWorld starts everything but the managers. Nothing is left running after an error.
func newWorld(ctx context.Context, set settings, dir string, t *tally) (*world, error) {
	w := &world{seed: set.seed, dir: dir, leaks: newLeaks(), tally: t, weather: &weather{},
		audit: &auditLog{path: filepath.Join(dir, "audit.log")}}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) start(ctx context.Context) error {
	var err error
	if w.journal, err = newJournal(filepath.Join(w.dir, "journal.log")); err != nil {
		return err
	}
	if w.Stage, err = stage.Start(ctx, stage.Options{Dir: w.dir, AuditLog: w.audit.path}); err != nil {
		return err
	}
	if w.front, err = startFront(w.Cloud.Handler()); err != nil {
		return err
	}
	if w.api, err = startAPIFront(w.Plane.Config(), w.Kubeconfig()); err != nil {
		return err
	}
	if err := w.connect(); err != nil {
		return err
	}
	w.crew = newCrew(w.Stage, w.front.URL, w.journal)
	for i := range cellCount {
		c := newCell(w, i)
		if err := c.create(ctx); err != nil {
			return err
		}
		w.cells = append(w.cells, c)
	}
	return nil
}

// connect makes the clients.
func (w *world) connect() error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	var err error
	if w.admin, err = client.New(w.Plane.Config(), client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if w.clients, err = kubernetes.NewForConfig(w.Plane.Config()); err != nil {
		return err
	}
	config := w.Plane.Config()
	config.UserAgent = strangerAgent
	w.stranger, err = client.New(config, client.Options{Scheme: scheme})
	return err
}

// close ends all that was started.
func (w *world) close() error {
	var errs []error
	if w.crew != nil {
		errs = append(errs, w.crew.dismiss())
	}
	if w.front != nil {
		w.front.close()
	}
	if w.api != nil {
		w.api.close()
	}
	if w.Stage != nil {
		errs = append(errs, w.Stop())
	}
	if w.journal != nil {
		errs = append(errs, w.journal.close())
	}
	return errors.Join(errs...)
}

// sources returns the sources of all cells.
func (w *world) sources() []*source {
	var all []*source
	for _, c := range w.cells {
		all = append(all, c.sources...)
	}
	return all
}

// persist repeats what fails because the API server is away.
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

// journal notes what was done and when, for whoever looks into a violation.
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
	_, _ = fmt.Fprintf(j.file, clockTime(time.Now())+" "+format+"\n", args...) // A full disk shows elsewhere.
}

func (j *journal) close() error { return j.file.Close() }
