// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

// readFloorCommand has this program read the cloud in a process of its own: the
// simulated cloud's CPU time is that of the process it runs in.
const readFloorCommand = "read-floor"

// floorCPU measures reading the large source's pages as often as it is synced: the CPU
// time of reading all of them once with net/http and encoding/json alone, into the lean
// structs, and with the operator's own client, which knows all items by their bytes.
func (b *bench) floorCPU(ctx context.Context) (lean, scan time.Duration, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	command := exec.CommandContext(ctx, self, readFloorCommand, "-url", b.scene.Server.URL,
		"-rounds", strconv.Itoa(b.syncs), "-items", strconv.Itoa(b.objects))
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("floor: %w", err)
	}
	if _, err := fmt.Sscan(string(out), &lean, &scan); err != nil {
		return 0, 0, fmt.Errorf("floor: cannot read %q: %w", out, err)
	}
	return lean, scan, nil
}

// readFloor is the process: it prints what each way of reading cost.
func readFloor(args []string) error {
	flags := flag.NewFlagSet(readFloorCommand, flag.ExitOnError)
	endpoint := flags.String("url", "", "Where the simulated cloud is.")
	rounds := flags.Int("rounds", 1, "How often to read everything.")
	items := flags.Int("items", 0, "How many items there must be.")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, read := range []func(context.Context, string) (int, error){readLean, new(scanner).read} {
		if _, err := read(context.Background(), *endpoint); err != nil { // What comes once is not measured.
			return err
		}
		before, err := usageOf(os.Getpid())
		if err != nil {
			return err
		}
		for range *rounds {
			n, err := read(context.Background(), *endpoint)
			if err != nil {
				return err
			}
			if n != *items {
				return fmt.Errorf("%d items were read, not %d", n, *items)
			}
		}
		after, err := usageOf(os.Getpid())
		if err != nil {
			return err
		}
		fmt.Println(int64(after.cpu-before.cpu) / int64(*rounds))
	}
	return nil
}

// readLean reads all pages of both kinds with the standard library alone.
func readLean(ctx context.Context, endpoint string) (int, error) {
	clusters, err := readPages[wire.Cluster](ctx, endpoint+"/cmk/v2/clusters", clustersPerPage)
	if err != nil {
		return 0, err
	}
	peerings, err := readPages[wire.Peering](ctx, endpoint+"/networking/v1/peerings", peeringsPerPage)
	return clusters + peerings, err
}

// readPages returns how many items there are. It keeps them until the end, as
// whoever wants to work with them must.
func readPages[Item any](ctx context.Context, path string, pageSize int) (int, error) {
	var items []Item
	var text bytes.Buffer // Used for each page again: what is decoded is copied out of it.
	next := path + "?" + url.Values{"environment": {environment}, "page_size": {strconv.Itoa(pageSize)}}.Encode()
	for next != "" {
		var page struct {
			Metadata struct {
				Next string `json:"next"`
			} `json:"metadata"`
			Data []Item `json:"data"`
		}
		if err := readPage(ctx, next, &text); err != nil {
			return 0, err
		}
		if err := json.Unmarshal(text.Bytes(), &page); err != nil {
			return 0, err
		}
		items = append(items, page.Data...)
		next = page.Metadata.Next
	}
	return len(items), nil
}

// readPage reads one page into a buffer.
func readPage(ctx context.Context, page string, into *bytes.Buffer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return err
	}
	request.SetBasicAuth(stage.APIKey, stage.APISecret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", page, response.Status)
	}
	into.Reset()
	_, err = into.ReadFrom(response.Body)
	return err
}

// scanner reads with the operator's client, which decodes only what changed.
type scanner struct{ clusters, peerings *cloudapi.Index }

// read reads all pages of both kinds.
func (s *scanner) read(ctx context.Context, endpoint string) (int, error) {
	client, err := cloudapi.New(cloudapi.Options{
		Endpoint:   endpoint,
		Credential: cloudapi.Credential{Key: stage.APIKey, Secret: stage.APISecret},
		UserAgent:  "inventory-operator/bench",
	})
	if err != nil {
		return 0, err
	}
	clusters, err := client.ListClusters(ctx, cloudapi.ClusterFilter{Environment: environment}, s.clusters)
	if err != nil {
		return 0, err
	}
	peerings, err := client.ListPeerings(ctx, cloudapi.PeeringFilter{Environment: environment}, s.peerings)
	if err != nil {
		return 0, err
	}
	s.clusters, s.peerings = clusters.Index, peerings.Index
	return len(clusters.Items) + len(peerings.Items), nil
}
