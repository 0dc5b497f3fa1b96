// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

// floorCommand has this program read the cloud in a process of its own: the simulated
// cloud's CPU time is that of the process it runs in.
const floorCommand = "read-floor"

// floorCPU measures the CPU time of reading all pages of the large source once with
// net/http and encoding/json alone, into the operator's structs.
func (b *bench) floorCPU(ctx context.Context) (cpu time.Duration, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	command := exec.CommandContext(ctx, self, floorCommand, b.scene.Server.URL, strconv.Itoa(b.objects))
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("floor: %w", err)
	}
	if _, err := fmt.Sscan(string(out), &cpu); err != nil {
		return 0, fmt.Errorf("floor: cannot read %q: %w", out, err)
	}
	return cpu, nil
}

// runFloor is the process. Its arguments are its name, the cloud's address and how many items there
// must be.
func runFloor(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%s takes the cloud's address and how many items there must be", floorCommand)
	}
	var before usage
	for round := range 1 + syncs {
		n, err := readAll(ctx, args[1])
		if err != nil {
			return err
		}
		if strconv.Itoa(n) != args[2] {
			return fmt.Errorf("%d items were read, not %s", n, args[2])
		}
		if round == 0 { // What comes once is not measured.
			if before, err = usageOf(os.Getpid()); err != nil {
				return err
			}
		}
	}
	after, err := usageOf(os.Getpid())
	fmt.Println(int64(after.cpu-before.cpu) / syncs)
	return err
}

// readAll reads all pages of both kinds and returns how many items there are.
func readAll(ctx context.Context, endpoint string) (int, error) {
	clusters, err := readPages[wire.Cluster](ctx, endpoint+"/cmk/v2/clusters", clustersPerPage)
	if err != nil {
		return 0, err
	}
	peerings, err := readPages[wire.Peering](ctx, endpoint+"/networking/v1/peerings", peeringsPerPage)
	return clusters + peerings, err
}

// readPages returns how many items there are. It keeps all of them until the end, because a
// program that works with them must.
func readPages[Item any](ctx context.Context, path string, pageSize int) (int, error) {
	var items []Item
	var text bytes.Buffer // Used for each page again: what is decoded is copied out of it.
	next := fmt.Sprintf("%s?environment=%s&page_size=%d", path, environment, pageSize)
	for next != "" {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, next, nil)
		if err != nil {
			return 0, err
		}
		request.SetBasicAuth(stage.APIKey, stage.APISecret)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, err
		}
		text.Reset()
		_, err = text.ReadFrom(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return 0, err
		}
		if response.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("%s: %s", next, response.Status)
		}
		var page struct {
			Metadata struct {
				Next string `json:"next"`
			} `json:"metadata"`
			Data []Item `json:"data"`
		}
		if err := json.Unmarshal(text.Bytes(), &page); err != nil {
			return 0, err
		}
		items, next = append(items, page.Data...), page.Metadata.Next
	}
	return len(items), nil
}
