// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// profileSeconds is how much of a measurement a CPU profile covers.
const profileSeconds = 20

// profile takes profiles of a manager while something is measured. With no folder
// it takes none. Profiling costs some CPU: figures are to be taken without it.
type profile struct {
	folder, name string
	world        *world
	cpu          chan error
}

// profile names the profiles to take of a measurement.
func (b *bench) profile(name string) *profile {
	return &profile{folder: b.profiles, name: name}
}

// begin begins the CPU profile of a world's manager.
func (p *profile) begin(w *world) {
	if p.folder == "" {
		return
	}
	p.world, p.cpu = w, make(chan error, 1)
	go func() {
		p.cpu <- p.save(context.Background(), "cpu", fmt.Sprintf("profile?seconds=%d", profileSeconds))
	}()
}

// end waits for the CPU profile and takes those of memory.
func (p *profile) end(ctx context.Context) error {
	if p.cpu == nil {
		return nil
	}
	if err := <-p.cpu; err != nil {
		return err
	}
	for _, what := range []string{"heap", "allocs"} {
		if err := p.save(ctx, what, what); err != nil {
			return err
		}
	}
	return nil
}

// save writes one profile to a file.
func (p *profile) save(ctx context.Context, what, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.world.profiler+"/debug/pprof/"+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer response.Body.Close()
	if err := os.MkdirAll(p.folder, 0o755); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	file, err := os.Create(filepath.Join(p.folder, p.name+"-"+what+".prof"))
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer file.Close()
	if _, err := io.Copy(file, response.Body); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return file.Close()
}
