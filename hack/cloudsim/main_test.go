package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// command is the simulator's command, running.
type command struct {
	stdout, stderr *gbytes.Buffer
	stop           context.CancelFunc
	code           chan int
}

// patience is how long a test waits for what happens soon on a machine that is not busy.
const patience = 3 * time.Minute

// launch runs the command on free ports and stops it with the test.
func launch(t *testing.T, args ...string) *command {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &command{gbytes.NewBuffer(), gbytes.NewBuffer(), stop, make(chan int, 1)}
	var done sync.WaitGroup
	done.Go(func() {
		c.code <- run(ctx, append([]string{"--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"}, args...), c.stdout, c.stderr)
	})
	t.Cleanup(done.Wait)
	t.Cleanup(stop)
	return c
}

// match waits for the output to match and returns its first group.
func (c *command) match(g Gomega, pattern string) string {
	g.EventuallyWithOffset(1, func() string { return string(c.stdout.Contents()) }, patience).Should(MatchRegexp(pattern))
	return regexp.MustCompile(pattern).FindStringSubmatch(string(c.stdout.Contents()))[1]
}

func fetch(t *testing.T, g Gomega, target, user, secret string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	g.Expect(err).NotTo(HaveOccurred())
	r.SetBasicAuth(user, secret)
	resp, err := http.DefaultClient.Do(r)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return resp.StatusCode, string(body)
}

func TestItServesASeededInventoryUntilItIsStopped(t *testing.T) {
	g := NewWithT(t)
	c := launch(t, "--clusters", "3", "--peerings", "2", "--environment", "env-x")
	example := c.match(g, `-u 'CLOUDSIMDEMOKEY1:cloudsim-demo-secret' '(\S+)'`)
	g.Expect(c.stdout.Contents()).To(ContainSubstring("3 clusters and 2 peerings in env-x"))
	status, body := fetch(t, g, example, demoKey, demoSecret)
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(body).To(ContainSubstring(`"total_size":3`))
	status, _ = fetch(t, g, c.match(g, `admin  (\S+)`)+"/inventory", "", "")
	g.Expect(status).To(Equal(http.StatusOK))
	c.stop()
	g.Eventually(c.code, patience).Should(Receive(Equal(exitOK)))
	g.Expect(c.stdout.Contents()).To(HaveSuffix("Stopped.\n"))
	g.Expect(c.stderr.Contents()).To(BeEmpty())
}

func TestAKeyOfOnesOwnIsNotShown(t *testing.T) {
	g := NewWithT(t)
	c := launch(t, "--api-key", "mine", "--api-secret", "hush", "--rate-limit", "1")
	example := c.match(g, `-u 'mine:SECRET' '(\S+)'`)
	g.Expect(c.stdout.Contents()).NotTo(ContainSubstring("hush"))
	status, _ := fetch(t, g, example, "mine", "hush")
	g.Expect(status).To(Equal(http.StatusOK))
	status, _ = fetch(t, g, example, "mine", "hush")
	g.Expect(status).To(Equal(http.StatusTooManyRequests))
}

func TestItBeginsInTheModeItIsTold(t *testing.T) {
	g := NewWithT(t)
	c := launch(t, "--mode", "wire")
	example := c.match(g, `'(http\S+&page_size=)1'`)
	g.Expect(c.stdout.Contents()).To(ContainSubstring(", mode wire."))
	_, clusters := fetch(t, g, example+"100", demoKey, demoSecret)
	g.Expect(clusters).To(And(ContainSubstring("SASL_SSL://"), ContainSubstring(cloudsim.OddClusterPhase)))
	_, peerings := fetch(t, g, strings.Replace(example, "cmk/v2/clusters", "networking/v1/peerings", 1)+"100", demoKey, demoSecret)
	g.Expect(peerings).To(And(ContainSubstring(`"id":"peer-`), ContainSubstring(cloudsim.OddPeeringPhase)))
	admin := c.match(g, `admin  (\S+)`)
	_, mode := fetch(t, g, admin+"/mode", "", "")
	g.Expect(mode).To(MatchJSON(`{"mode":"wire","modes":["strict","wire"]}`))
}

func TestItServesAFile(t *testing.T) {
	g := NewWithT(t)
	sim := cloudsim.New(cloudsim.Options{})
	cloudsim.Seed(sim, cloudsim.SeedOptions{Environment: "env-file", Clusters: 2})
	doc, err := json.Marshal(sim.Inventory())
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(t.TempDir(), "inventory.json")
	g.Expect(os.WriteFile(file, doc, 0o600)).To(Succeed())
	c := launch(t, "--file", file)
	_, body := fetch(t, g, c.match(g, `(http\S+environment=env-file\S+)'`), demoKey, demoSecret)
	g.Expect(body).To(ContainSubstring(`"total_size":2`))
}

func TestItSaysWhyItCannotStart(t *testing.T) {
	sim, err := cloudsim.New(cloudsim.Options{}).Start()
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	busy := strings.TrimPrefix(sim.URL, "http://")
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"clusters":[{"id":"lkc-1"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--addr", busy}, exitFailed, "listening for the cloud on " + busy},
		{[]string{"--addr", "127.0.0.1:0", "--admin-addr", busy}, exitFailed, "admin interface on " + busy},
		{[]string{"--addr", "nowhere"}, exitFailed, "missing port"},
		{[]string{"--file", bad}, exitFailed, "bad.json: clusters[0].spec.environment.id: is required"},
		{[]string{"--file", bad + ".not"}, exitFailed, "no such file"},
		{[]string{"--file", bad, "--clusters", "3", "--seed", "2"}, exitUsage, "leave out --clusters, --seed"},
		{[]string{"--clusters", "-1"}, exitUsage, "--clusters is -1"},
		{[]string{"--clusters", "many"}, exitUsage, "invalid value"},
		{[]string{"--peerings", "-1"}, exitUsage, "--peerings is -1"},
		{[]string{"--rate-limit", "-1"}, exitUsage, "--rate-limit is -1"},
		{[]string{"--environment", ""}, exitUsage, "--environment is empty"},
		{[]string{"--api-secret", ""}, exitUsage, "must not be empty"},
		{[]string{"--api-key", "a:b"}, exitUsage, "colon"},
		{[]string{"--mode", "loose"}, exitUsage, `there is no mode "loose": use strict or wire`},
		{[]string{"--speed", "9"}, exitUsage, "not defined: -speed"},
		{[]string{"start"}, exitUsage, `unexpected argument "start"`},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			g := NewWithT(t)
			var stdout, stderr bytes.Buffer
			g.Expect(run(t.Context(), c.args, &stdout, &stderr)).To(Equal(c.code))
			g.Expect(stderr.String()).To(And(HavePrefix("cloudsim: "), ContainSubstring(c.want)))
			g.Expect(stdout.String()).To(BeEmpty())
		})
	}
}

func TestHelp(t *testing.T) {
	g := NewWithT(t)
	var stdout, stderr bytes.Buffer
	g.Expect(run(t.Context(), []string{"--help"}, &stdout, &stderr)).To(Equal(exitOK))
	g.Expect(stderr.String()).To(And(HavePrefix("Usage: "), ContainSubstring("-clusters"), ContainSubstring("(default 12)")))
}
