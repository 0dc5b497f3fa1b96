# What can be done here: `make help`. Tools are pinned in hack/tools and built on
# first use, the control plane for tests in hack/controlplane.

# Image that docker-build builds and deploy runs. What deploy applies: a base of config, and
# features of config that are added to it, as WITH='endpoint-configmaps prometheus'.
IMG ?=
BASE_FROM := $(origin BASE)
BASE ?= default
WITH ?=
# Version the manager names itself by.
ifeq ($(origin VERSION),undefined)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo v0.0.0-dev)
endif
# Further arguments: of go test, as TESTFLAGS=-race or TESTFLAGS='-run Prune -v';
# of the manager in `make run`; of the simulator in `make cloudsim`. Spaces divide them.
TESTFLAGS ?=
RUNFLAGS ?=
CLOUDSIMFLAGS ?=
# Where the image goes that helm-deploy and e2e install: see there, in hack.
REGISTRY ?=
HELMFLAGS ?=
# What `make e2e` installs into: see hack/e2e.
NODE ?=
FROM ?=
# BENCH=quick measures small sizes. BENCHFLAGS='-scenarios cold,steady', for example; the
# table in docs is that of a run without either.
BENCH ?=
BENCHFLAGS ?=
# Where pictures draws to.
PICTURES ?= docs/pictures
# How long each fuzz target runs.
FUZZTIME ?= 10s
# What `make chaos` draws by, and for how long.
SEED ?= 1
ROUNDS ?= 200
# The demo ends by itself if this is not empty.
DEMO_ONCE ?=
# Programs to use instead of kubectl, and of docker.
KUBECTL ?=
CONTAINER_TOOL ?=

# Every compile has these flags, so that what is compiled once serves all. Nothing here
# needs cgo but the race detector.
ifeq ($(origin GOFLAGS),undefined)
GOFLAGS := $(shell hack/goflags)
endif
given := IMG BASE WITH VERSION TESTFLAGS RUNFLAGS CLOUDSIMFLAGS NODE REGISTRY HELMFLAGS FROM BENCH BENCHFLAGS PICTURES \
	FUZZTIME SEED ROUNDS DEMO_ONCE KUBECTL CONTAINER_TOOL GOFLAGS
ifeq ($(findstring -race,$(value TESTFLAGS)),)
CGO_ENABLED ?= 0
given += CGO_ENABLED
endif
# What is given becomes neither make's text nor the shell's: it is taken as it is written, and
# recipes have it from the environment. test/verify holds this list to what this file asks for.
$(foreach name,$(given),$(eval override $(name) := $$(value $(name))))
export $(given)

# Tests, and the API servers and managers that they start, collect garbage less often: they have memory
# to spare, and take a fifth less processor time. `make bench` measures with the collector as shipped.
test test-all test-e2e docs mutants chaos: export GOGC ?= 400

TOOL := hack/tools/run
CONTROLLER_GEN := $(TOOL) controller-gen

# A pipe fails where one of its commands does. Written like this because make 3.81,
# that of macOS, has no .SHELLFLAGS.
SHELL := /usr/bin/env bash -o pipefail

# All that deploy applies, in a file of its own: it is whole before anything is applied, and no other
# make writes to it. `set -f`: what is given is divided into words, and is no pattern of file names.
RENDER = set -f && rendered=$$(mktemp) && trap 'rm -f "$$rendered"' EXIT && KUBECTL="$${KUBECTL:-kubectl}" hack/render "$$IMG" "$$BASE" $$WITH >"$$rendered"
# Fails if deploy would have an operator work everywhere that is kept to namespaces, and BASE is not
# said on the command line.
ifeq ($(BASE_FROM),command line)
KEEPS_BASE = true
else
KEEPS_BASE = args=$$("$${KUBECTL:-kubectl}" get deployments --namespace inventory-operator-system --output jsonpath='{.items[*].spec.template.spec.containers[*].args}') && \
	{ [[ $$BASE == namespaced || $$args != *--watch-namespaces* ]] || { echo 'The operator here is kept to namespaces. BASE=namespaced keeps it so, BASE=default has it work everywhere.' >&2; exit 2; }; }
endif
NEEDS_IMG = @[[ -n $$IMG ]] || { echo 'IMG is missing, such as IMG=registry.example.com/inventory-operator:v1' >&2; exit 2; }

.DEFAULT_GOAL := help

# These need Go, and say so with the way out; demo, test and verify ask for more themselves.
cloudsim generate manifests pictures fmt vet lint lint-fix controlplane test-e2e docs chaos fuzz mutants bench build run \
chart image release helm-deploy e2e: needs-go
# These need kubectl, and no Go.
build-installer install uninstall deploy undeploy: needs-kubectl
.PHONY: needs-go needs-kubectl
needs-go:
	@command -v go >/dev/null || hack/doctor --brief
needs-kubectl:
	@command -v "$${KUBECTL:-kubectl}" >/dev/null || \
		{ echo "lacking: $${KUBECTL:-kubectl}: install kubectl, https://kubernetes.io/docs/tasks/tools, or name one in KUBECTL" >&2; exit 1; }

##@ General

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN { FS = ":.*## "; printf "Usage: make TARGET [VARIABLE=value]\n" } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile

##@ Try

.PHONY: demo
demo: ## See it work: control plane, simulated cloud, manager. DEMO_ONCE=1 ends by itself.
	@hack/demo/run

.PHONY: doctor
doctor: ## Say what demo and tests need and lack here, and the way out.
	@hack/doctor

.PHONY: cloudsim
cloudsim: ## Run the simulated cloud alone. CLOUDSIMFLAGS='--clusters 12 --peerings 4'
	@set -f; go run ./hack/cloudsim $$CLOUDSIMFLAGS

##@ Develop

.PHONY: generate
generate: ## Generate deep copies of the API types.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: ## Generate CRDs, the manager's role, the chart's files and the API reference.
	$(CONTROLLER_GEN) rbac:roleName=manager-role crd:maxDescLen=4096 \
		paths=./api/... paths=./internal/controller/... \
		output:crd:dir=config/crd/bases output:rbac:dir=config/rbac
	@hack/strict-times config/crd/bases/*.yaml
	@hack/no-defaults overrides config/crd/bases/inventory.ccloud.dev_environmentdiscoveries.yaml
	@mkdir -p config/grafana
	@cd hack/dashboard && GOWORK=off go run . >../../config/grafana/inventory-operator.json
	@hack/chart
	@hack/argocd
	@$(TOOL) crd-ref-docs --source-path=api/v1alpha1 --config=hack/crd-ref-docs.yaml \
		--renderer=markdown --output-path=docs/api.md >/dev/null 2>&1

.PHONY: pictures
pictures: ## Draw docs/pictures: what the demo shows, and the figures in docs/benchmarks.md.
	@hack/pictures/draw "$$PICTURES"

.PHONY: fmt
fmt: ## Format Go and shell code.
	gofmt -w .
	$(TOOL) shfmt -i 0 -w $$($(TOOL) shfmt -f .)

.PHONY: vet
vet: ## Run go vet.
	go vet ./...

.PHONY: lint
lint: ## Run golangci-lint. Its first build takes some minutes.
	$(TOOL) golangci-lint run ./...

.PHONY: lint-fix
lint-fix: ## Run golangci-lint and let it correct what it can.
	$(TOOL) golangci-lint run --fix ./...

.PHONY: verify
verify: ## Check format, vet, lint, generated files, go.mod files, manifests. Changes nothing.
	@hack/verify

.PHONY: controlplane
controlplane: ## Get the local control plane's binaries; print their folder.
	@hack/controlplane/ensure

.PHONY: test
test: ## Run the tests for which Go and the API server are enough. TESTFLAGS=-race
	@hack/test

.PHONY: test-all
test-all: ## Run all tests, those that need Helm, Argo CD's engine and other modules too.
	@hack/test all

.PHONY: test-e2e
test-e2e: ## Run the manager's own suite alone, under the shipped role. TESTFLAGS=-v
	@set -f; assets=$$(hack/controlplane/ensure) && KUBEBUILDER_ASSETS=$$assets go test -count=1 -timeout 30m $$TESTFLAGS ./test/e2e

.PHONY: e2e
e2e: ## Install chart and image into a cluster with nodes and walk through. NODE=local, NODE=kind
	@hack/e2e

.PHONY: docs
docs: ## Run the commands of the pages, runbooks too, and write what they print.
	@assets=$$(hack/controlplane/ensure) && KUBEBUILDER_ASSETS=$$assets UPDATE_DOCS=1 go test -count=1 -timeout 30m ./test/docs

.PHONY: chaos
chaos: ## Disturb everything at random for ROUNDS rounds and check each. SEED=1 ROUNDS=200
	@assets=$$(hack/controlplane/ensure) && KUBEBUILDER_ASSETS=$$assets \
		go run ./test/chaos --seed "$$SEED" --rounds "$$ROUNDS"

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME. FUZZTIME=1m
	@hack/fuzz

.PHONY: mutants
mutants: ## Take each prune rule and each guard out by itself; fail if no test misses it.
	@assets=$$(hack/controlplane/ensure) && KUBEBUILDER_ASSETS=$$assets go run ./test/mutate

.PHONY: bench
bench: ## Measure on this machine, 13 minutes. BENCH=quick takes three. BENCHFLAGS='-scenarios cold'
	@set -f; assets=$$(hack/controlplane/ensure) && KUBEBUILDER_ASSETS=$$assets go run ./test/bench \
		$(if $(BENCH),$(or $(BENCH_$(BENCH)),$(error BENCH is '$(BENCH)': it is quick, or unset for the whole run)),$(if $(BENCHFLAGS),,-doc docs/benchmarks.md)) $$BENCHFLAGS$(if $(BENCH)$(BENCHFLAGS),, && hack/pictures/draw "$$PICTURES" plots)

BENCH_quick := -objects 2000 -runs 1

##@ Build

.PHONY: build
build: ## Build bin/manager.
	hack/build bin/manager

.PHONY: run
run: build ## Build the manager and run it against the current kubeconfig. RUNFLAGS=--zap-devel
	@set -f; readable=; if [[ -t 2 ]]; then readable="--zap-encoder=console --zap-time-encoding=iso8601"; fi; \
		set -x; exec bin/manager --metrics-bind-address=127.0.0.1:8080 --metrics-secure=false \
		--health-probe-bind-address=127.0.0.1:8081 $$readable $$RUNFLAGS

.PHONY: chart
chart: ## Write dist/inventory-operator-VERSION.tgz, the Helm chart.
	mkdir -p dist
	$(TOOL) helm package charts/inventory-operator --destination dist

.PHONY: image
image: ## Write dist/image, an OCI layout for amd64 and arm64, without a container engine.
	@hack/image/build "$$VERSION" dist

.PHONY: release
release: ## Write all that a release has into dist/VERSION, and check it. VERSION=v0.1.0
	@hack/release "$$VERSION"

.PHONY: docker-build
docker-build: ## Build the image IMG.
	$(NEEDS_IMG)
	$${CONTAINER_TOOL:-docker} build --build-arg VERSION="$$VERSION" -t "$$IMG" .

.PHONY: docker-push
docker-push: ## Push the image IMG.
	$(NEEDS_IMG)
	$${CONTAINER_TOOL:-docker} push "$$IMG"

.PHONY: build-installer
build-installer: ## Write dist/install.yaml: all that `make deploy` applies, for IMG.
	@mkdir -p dist && rm -f dist/install.yaml && $(RENDER) && cp "$$rendered" dist/install.yaml

.PHONY: clean
clean: ## Remove bin and dist. Caches of tools and the control plane stay.
	rm -rf bin dist

##@ Deploy

.PHONY: helm-deploy
helm-deploy: ## Build the image, push it to REGISTRY, install the chart with it. REGISTRY=registry.example.com/team
	@set -f; hack/helm-deploy $$HELMFLAGS

.PHONY: install
install: ## Install the CRDs into the current kubeconfig's cluster.
	"$${KUBECTL:-kubectl}" kustomize config/crd | "$${KUBECTL:-kubectl}" apply -f -

.PHONY: uninstall
uninstall: ## Remove the CRDs, and with them every source and observation.
	"$${KUBECTL:-kubectl}" kustomize config/crd | "$${KUBECTL:-kubectl}" delete --ignore-not-found -f -

.PHONY: deploy
deploy: ## Install CRDs, roles and the manager with image IMG. BASE=namespaced WITH='policy prometheus'
	@$(RENDER) && $(KEEPS_BASE) && "$${KUBECTL:-kubectl}" apply -f "$$rendered"

.PHONY: undeploy
undeploy: ## Remove all that deploy installed with BASE and WITH, the CRDs and their objects too.
	@IMG=any; $(RENDER) && "$${KUBECTL:-kubectl}" delete --ignore-not-found -f "$$rendered"
