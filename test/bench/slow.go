// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

// someEnvironment is that which the shell script mirrors.
const someEnvironment = "env-some"

// limitedShare is one of how many of those objects is written with client-go's
// default limits: at 5 requests a second all would take minutes of waiting.
const limitedShare = 10

//go:embed mirror.sh
var shellScript []byte

// slowWays measures on fewer objects what one would do without thinking of speed.
func (b *bench) slowWays(ctx context.Context, r *record, models []model, ours float64) error {
	some := pickSome(models, b.some)
	n := float64(len(some))
	serial, err := b.write(ctx, some, 1, nil)
	if err != nil {
		return fmt.Errorf("one after another: %w", err)
	}
	b.say("cold: one after another: %s", serial.Round(time.Millisecond))
	r.Figures.add("bare client, one after another", n/serial.Seconds(), "objects/s")
	few := pickSome(models, b.some/limitedShare)
	limit := flowcontrol.NewTokenBucketRateLimiter(rest.DefaultQPS, rest.DefaultBurst)
	for limit.TryAccept() { // What may go at once is gone after two seconds; the rate stays.
	}
	limited, err := b.write(ctx, few, b.writers, limit)
	if err != nil {
		return fmt.Errorf("default limits: %w", err)
	}
	b.say("cold: default limits: %d objects in %s", len(few), limited.Round(time.Millisecond))
	r.Figures.add("bare client, client-go's default limits", float64(len(few))/limited.Seconds(), "objects/s")
	r.Notes = append(r.Notes, fmt.Sprintf("The slow ways were measured on %d objects; client-go's default limits, %s requests a second, on the first %d of them and after its burst, since a rate is the same for more.",
		len(some), number(float64(rest.DefaultQPS), ""), len(few)))
	shell, err := b.shell(ctx)
	if err != nil {
		return fmt.Errorf("shell: %w", err)
	}
	b.say("cold: shell: %s", shell.Round(time.Millisecond))
	r.Figures.add("shell script", n/shell.Seconds(), "objects/s")
	r.Figures.goal("ours against the shell script", ours/(n/shell.Seconds()), "x", ">=", 2)
	return nil
}

// pickSome takes n models, as many of each kind.
func pickSome(models []model, n int) []model {
	var picked []model
	left := map[string]int{}
	for _, resource := range resources {
		left[resource] = n / len(resources)
	}
	for _, m := range models {
		if left[m.resource] > 0 {
			left[m.resource]--
			picked = append(picked, m)
		}
	}
	return picked
}

// shell runs the script that one would write instead of the operator, on a small
// environment of its own, and returns how long it took. It first checks, once, that
// what the script needs is there.
func (b *bench) shell(ctx context.Context) (time.Duration, error) {
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			return 0, fmt.Errorf("%w; install it, the script needs it", err)
		}
	}
	cloudsim.Seed(b.scene.Cloud, cloudsim.SeedOptions{Environment: someEnvironment, Clusters: b.some / 2, Peerings: b.some / 2, Seed: b.seed})
	source, err := b.newOwner(ctx)
	if err != nil {
		return 0, err
	}
	script := filepath.Join(b.scene.dir, "mirror.sh")
	if err := os.WriteFile(script, shellScript, 0o700); err != nil {
		return 0, err
	}
	command := exec.CommandContext(ctx, "bash", script)
	command.Dir = b.scene.dir
	command.Env = append(os.Environ(), "KUBECONFIG="+b.scene.Plane.Kubeconfig(), "KUBECTL="+b.scene.Plane.Kubectl(),
		"CLOUD="+b.scene.Server.URL, "KEY="+stage.APIKey+":"+stage.APISecret,
		"ENVIRONMENT="+someEnvironment, "NAMESPACE="+source.Namespace, "SOURCE="+source.Name, "OWNER="+string(source.UID))
	start := time.Now()
	out, err := command.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	if lines := strings.Count(string(out), "serverside-applied"); lines != 2*b.some {
		return 0, fmt.Errorf("%d objects were applied, not %d twice", lines, b.some)
	}
	return took, nil
}
