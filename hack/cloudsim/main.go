// Command cloudsim runs the simulated cloud on its own, filled with a seeded
// inventory or with one from a file, until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/ccloud-dev/inventory-operator/hack/cloudsim/admin"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// The demo key is no secret: it opens nothing but a simulator.
const (
	demoKey    = "CLOUDSIMDEMOKEY1"
	demoSecret = "cloudsim-demo-secret" //nolint:gosec // see above
)

// Exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are the command's flags.
type settings struct {
	seed            cloudsim.SeedOptions
	file            string
	addr, adminAddr string
	key             cloudsim.Key
	rateLimit       int
	mode            cloudsim.Mode
}

// run serves until ctx ends. It returns the exit code: 0 after a clean stop, 1 if the
// simulator could not be started, 2 for bad flags.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "cloudsim: %v\nRun it with --help for its flags.\n", err)
		return exitUsage
	}
	if err := serve(ctx, set, stdout); err != nil {
		_, _ = fmt.Fprintf(stderr, "cloudsim: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var set settings
	flags := flag.NewFlagSet("cloudsim", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are printed once, by run
	flags.IntVar(&set.seed.Clusters, "clusters", 12, "number of clusters in the seeded inventory")
	flags.IntVar(&set.seed.Peerings, "peerings", 4, "number of peerings in the seeded inventory")
	flags.Int64Var(&set.seed.Seed, "seed", 1, "seed of the inventory: the same seed gives the same inventory")
	flags.StringVar(&set.seed.Environment, "environment", cloudsim.DefaultEnvironment, "environment of the seeded inventory")
	flags.StringVar(&set.file, "file", "", "serve the inventory of this JSON file instead of a seeded one")
	flags.StringVar(&set.addr, "addr", "127.0.0.1:8090", "address of the cloud")
	flags.StringVar(&set.adminAddr, "admin-addr", "127.0.0.1:8091", "address of the admin interface, which asks for no credentials")
	flags.StringVar(&set.key.ID, "api-key", demoKey, "ID of the API key to accept")
	flags.StringVar(&set.key.Secret, "api-secret", demoSecret, "secret of the API key to accept")
	flags.IntVar(&set.rateLimit, "rate-limit", 0, "requests a minute the key may make, 0 for no limit")
	flags.TextVar(&set.mode, "mode", cloudsim.ModeStrict, "strict: the contract to the letter; wire: what is seen in the field")
	flags.Usage = func() {}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintln(stderr, "Usage: go run ./hack/cloudsim [flags]\n\nRuns the simulated cloud until it is interrupted.")
			_, _ = fmt.Fprintln(stderr)
			flags.SetOutput(stderr)
			flags.PrintDefaults()
		}
		return settings{}, err
	}
	return set, set.check(flags)
}

func (set settings) check(flags *flag.FlagSet) error {
	var clash []string
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "clusters", "peerings", "seed", "environment":
			clash = append(clash, "--"+f.Name)
		}
	})
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: there are flags only", flags.Arg(0))
	case set.seed.Clusters < 0:
		return fmt.Errorf("--clusters is %d: use 0 or more", set.seed.Clusters)
	case set.seed.Peerings < 0:
		return fmt.Errorf("--peerings is %d: use 0 or more", set.seed.Peerings)
	case set.seed.Environment == "":
		return errors.New("--environment is empty: give an ID such as " + cloudsim.DefaultEnvironment)
	case set.key.ID == "" || set.key.Secret == "":
		return errors.New("--api-key and --api-secret must not be empty")
	case strings.Contains(set.key.ID, ":"):
		return errors.New("--api-key has a colon in it, which Basic authentication cannot carry")
	case set.rateLimit < 0:
		return fmt.Errorf("--rate-limit is %d: use 0 or more", set.rateLimit)
	case set.file != "" && len(clash) > 0:
		return fmt.Errorf("--file brings its own inventory: leave out %s", strings.Join(clash, ", "))
	}
	return nil
}

// serve fills the simulator, says how to reach it and waits for ctx to end.
func serve(ctx context.Context, set settings, stdout io.Writer) error {
	sim := cloudsim.New(cloudsim.Options{RateLimit: set.rateLimit, Mode: set.mode})
	sim.AddKey(set.key)
	if set.file == "" {
		cloudsim.Seed(sim, set.seed)
	} else if err := load(sim, set.file); err != nil {
		return err
	}
	server, err := sim.StartOn(set.addr)
	if err != nil {
		return err
	}
	defer server.Close()
	adminURL, err := server.Serve("the admin interface", set.adminAddr, admin.Handler(sim, server.URL))
	if err != nil {
		return err
	}
	if _, err := io.WriteString(stdout, greeting(sim, server.URL, adminURL, set.key)); err != nil {
		return err
	}
	<-ctx.Done()
	_, _ = fmt.Fprintln(stdout, "Stopped.")
	return nil
}

func load(sim *cloudsim.Sim, path string) error {
	f, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	doc, err := cloudsim.ReadInventory(f)
	if err == nil {
		err = sim.SetInventory(doc)
	}
	if err != nil {
		return fmt.Errorf("loading %s: %w", path, err)
	}
	return nil
}

// greeting says what runs where. It shows the secret only if it is the demo's.
func greeting(sim *cloudsim.Sim, cloudURL, adminURL string, key cloudsim.Key) string {
	secret := "SECRET"
	if key.Secret == demoSecret {
		secret = demoSecret
	}
	clusters, peerings := sim.Size()
	environments := sim.Environments()
	if len(environments) == 0 { // a file may bring none; the example then shows the 403
		environments = []string{cloudsim.DefaultEnvironment}
	}
	return fmt.Sprintf(`The simulated cloud is up: %d clusters and %d peerings in %s, mode %s.

  cloud  %s   API key %s
  admin  %s   shows and changes the inventory, sets modes and faults; curl it for help

Try:
  curl -u '%s:%s' '%s/cmk/v2/clusters?environment=%s&page_size=1'
  curl %s

Mirror it into the cluster of your kubeconfig, by an operator on this machine:
  make install
  make run RUNFLAGS=--allowed-endpoints=%s
  kubectl create secret generic cloudsim --from-literal=api-key='%s' --from-literal=api-secret='%s'
  kubectl apply -f - <<'YAML'
  apiVersion: inventory.ccloud.dev/v1alpha1
  kind: InventorySource
  metadata:
    name: cloudsim
  spec:
    environment: %s
    endpoint: %s
    interval: 10s
    credentials:
      apiKey:
        secretRef:
          name: cloudsim
  YAML

Ctrl-C stops it.
`, clusters, peerings, strings.Join(environments, ", "), sim.Mode(),
		cloudURL, key.ID, adminURL,
		key.ID, secret, cloudURL, environments[0], adminURL,
		cloudURL, key.ID, secret, environments[0], cloudURL)
}
