// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// body is one object, marshalled: the way it is created and the way its status is
// patched.
type body struct {
	resource, name string
	object, status []byte
}

// bare writes to the API server as fast as a client can: bodies that are already
// marshalled, over the HTTP/2 connection that client-go's transport keeps, answers
// read and dropped. Custom resources have no encoding but JSON.
type bare struct {
	http *http.Client
	host string
}

func newBare(config *rest.Config) (*bare, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("bare client: %w", err)
	}
	return &bare{http: client, host: strings.TrimSuffix(config.Host, "/")}, nil
}

// send sends one request and reads the answer to its end.
func (b *bare) send(ctx context.Context, method, path, mediaType string, content []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, b.host+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Accept", "application/json")
	response, err := b.http.Do(request)
	if err != nil {
		return fmt.Errorf("bare client: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000)) // the status says enough
		return fmt.Errorf("bare client: %s %s: %s: %s", method, path, response.Status, text)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func collectionPath(namespace, resource string) string {
	return "/apis/" + v1alpha1.GroupVersion.String() + "/namespaces/" + namespace + "/" + resource
}

// create creates an object and patches its status.
func (b *bare) create(ctx context.Context, namespace string, o body) error {
	path := collectionPath(namespace, o.resource)
	if err := b.send(ctx, http.MethodPost, path, "application/json", o.object); err != nil {
		return err
	}
	return b.send(ctx, http.MethodPatch, path+"/"+o.name+"/status", string(mergePatch), o.status)
}

// each calls do for 0 to n-1 with so many workers, and returns how long all took,
// and the first error.
func each(ctx context.Context, n, workers int, do func(context.Context, int) error) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	var next atomic.Int64
	start := time.Now()
	for range workers {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wait.Wait()
	return time.Since(start), context.Cause(ctx)
}
