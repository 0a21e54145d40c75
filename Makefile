# make help says what there is.
SHELL      := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO          ?= go
# Extra flags for go test, such as GOTESTFLAGS=-race.
GOTESTFLAGS ?=
# How long each fuzz target runs, and which of them do.
FUZZTIME    ?= 400000x
FUZZ        ?= ^Fuzz
# Flags of bench, such as BENCHFLAGS=-short, and how often bench-go runs each benchmark.
BENCHFLAGS  ?=
BENCHCOUNT  ?= 5
# Flags of soak, such as SOAKFLAGS='-for 2h -faults 100000'; CONTRIBUTING.md has a long run.
SOAKFLAGS   ?=

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

ERL_SOURCES := $(wildcard beam/src/*.erl)
EBIN        := build/beam/ebin
EVENTS      := $(addprefix examples/events/,empty.json apigateway-v2.json sqs-batch.json s3-put.json eventbridge.json)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 18

.PHONY: deps
deps: ## install Erlang/OTP and Elixir with apt, when they are missing
	@scripts/deps.sh

.PHONY: build
build: deps beam ## build build/bootstrap (and -amd64, -arm64 for layers), build/beamport and build/beam/ebin
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o build/bootstrap ./cmd/bootstrap
	@for arch in amd64 arm64; do GOOS=linux GOARCH=$$arch CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o build/bootstrap-$$arch ./cmd/bootstrap; done
	@CGO_ENABLED=0 $(GO) build -trimpath -o build/beamport ./cmd/beamport

.PHONY: beam
beam: $(EBIN)/beamport.app

$(EBIN)/beamport.app: $(ERL_SOURCES) beam/src/beamport.app.src scripts/beam.sh
	@scripts/beam.sh $(EBIN)

.PHONY: demo
demo: build ## run the Elixir example: every event through the whole chain
	@cd examples/hello_elixir && MIX_ENV=prod mix compile --no-deps-check >/dev/null
	@build/beamport invoke --handler HelloElixir.handle $(addprefix --event ,$(EVENTS)) examples/hello_elixir

.PHONY: test
test: build test-beam test-go ## every test: Erlang's, Go's, and those with a real BEAM

.PHONY: test-beam
test-beam: deps
	@scripts/eunit.sh

.PHONY: test-trixie
test-trixie: deps ## the layers and the OTP application with Debian 13's Erlang and Elixir (root; minutes)
	@scripts/trixie.sh

.PHONY: test-go
test-go: deps
	$(GO) test $(GOTESTFLAGS) ./...

.PHONY: bench
bench: deps ## the codecs beside their peers, in one table
	@cd bench && $(GO) run . $(BENCHFLAGS)

.PHONY: benchmarks
benchmarks: deps ## the same, written to BENCHMARKS.md
	cd bench && $(GO) run . -o ../BENCHMARKS.md $(BENCHFLAGS)

.PHONY: bench-start
bench-start: deps ## cold starts beside those of erl and elixir, in one table
	@cd bench && $(GO) run . -start $(BENCHFLAGS)

.PHONY: starts
starts: deps ## the same, written to STARTS.md and docs/starts.svg
	cd bench && $(GO) run . -start -o ../STARTS.md -svg ../docs/starts.svg $(BENCHFLAGS)

.PHONY: bench-go
bench-go: deps ## Go's benchmarks
	$(GO) test -run '^$$' -bench . -benchmem -count $(BENCHCOUNT) ./...

.PHONY: fuzz
# FUZZTIME counts executions. A duration works too, but ends in a false "context
# deadline exceeded" now and then: https://go.dev/issue/75804, mended in Go 1.27.
fuzz: ## each fuzz target for FUZZTIME
	@for target in $$($(GO) test -list '$(FUZZ)' ./fuzz | grep '^Fuzz'); do \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x ./fuzz || exit 1; \
	done

.PHONY: soak
soak: deps ## faults of every kind against package port; fails on anything lost, mixed up or leaked
	@mkdir -p build
	@$(GO) build -o build/soak ./internal/soak/cmd/soak
	@build/soak $(SOAKFLAGS)

.PHONY: lint
lint: deps ## gofmt, vet, staticcheck, import direction, erlc warnings, embedded beams
	@unformatted=$$(gofmt -s -l $$(git ls-files '*.go')); \
	    [ -z "$$unformatted" ] || { echo "gofmt -s would change:" $$unformatted >&2; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@scripts/imports.sh
	@scripts/beam.sh --check

.PHONY: dialyzer
dialyzer: ## dialyzer over beam/src
	@scripts/deps.sh dialyzer
	@scripts/dialyzer.sh

.PHONY: generate
generate: deps ## compile the beams that the Go package beam embeds (OTP 25)
	@scripts/beam.sh beam/ebin

.PHONY: deploy-check
deploy-check: ## check the templates, Dockerfiles and modules of deploy/, without an account
	@scripts/deploy-check.sh

# What the targets below need, and what to say where it is missing.
need = command -v $(1) >/dev/null || { echo "beamport: $@ needs $(1): $(2)" >&2; exit 1; }

.PHONY: layer-al2023
layer-al2023: ## layer.zip and function.zip for provided.al2023 in build/deploy, with Docker
	@$(call need,docker,https://docs.docker.com/engine/install/)
	DOCKER_BUILDKIT=1 docker build -f deploy/docker/al2023.Dockerfile --target layer --output build/deploy .

.PHONY: image-al2023
image-al2023: ## a container image on provided:al2023
	@$(call need,docker,https://docs.docker.com/engine/install/)
	DOCKER_BUILDKIT=1 docker build -f deploy/docker/al2023.Dockerfile --target image -t hello-elixir:al2023 .

.PHONY: image-debian
image-debian: ## a container image on Debian slim
	@$(call need,docker,https://docs.docker.com/engine/install/)
	DOCKER_BUILDKIT=1 docker build -f deploy/docker/debian.Dockerfile -t hello-elixir:debian .

# That of the archives, as Lambda calls it: they are built on this machine.
LAMBDA_ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

# The archives are always built: Docker's cache has what did not change.
.PHONY: deploy-sam
deploy-sam: layer-al2023 ## deploy build/deploy with AWS SAM
	@$(call need,sam,https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html)
	sam deploy --guided --template-file deploy/sam/template.yaml --capabilities CAPABILITY_IAM --parameter-overrides Architecture=$(LAMBDA_ARCH)

.PHONY: deploy-terraform
deploy-terraform: layer-al2023 ## deploy build/deploy with Terraform
	@$(call need,terraform,https://developer.hashicorp.com/terraform/install)
	terraform -chdir=deploy/terraform/example init
	terraform -chdir=deploy/terraform/example apply -var architecture=$(LAMBDA_ARCH)

.PHONY: deploy-cdk
deploy-cdk: layer-al2023 ## deploy build/deploy with AWS CDK
	@$(call need,cdk,npm install -g aws-cdk)
	cd deploy/cdk && npm ci && ARCHITECTURE=$(LAMBDA_ARCH) cdk deploy --app "npm run --silent synth"

.PHONY: clean
clean: ## remove what was built
	@rm -rf build
