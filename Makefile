SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Pinned tools, each in a folder named after its version.
TOOLS         := $(CURDIR)/.tools
GOTESTSUM     := $(TOOLS)/gotestsum-1.13.0/gotestsum
GOLANGCI_LINT := $(TOOLS)/golangci-lint-2.15.0/golangci-lint
WORKFLOWCHECK := $(TOOLS)/workflowcheck-0.6.0/workflowcheck

PACKAGES ?= ./...
CASE     ?=
KILLS    ?= 50
UPDATES  ?= 100
SEED     ?= 1
WINDOWS  ?= 1000
FUZZ     ?= Fuzz
FUZZTIME ?= 60s
VERSION  ?= $(shell git describe --always --dirty 2>/dev/null || echo unknown)

.PHONY: help demo dev build devserver test conformance ready check format lint schema bench goldens aa endure fuzz

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build devserver ## a model's whole life on one machine, from real data; KEEP=1 leaves it running
	go run ./examples/flight-delay $(if $(KEEP),-keep) $(DEMO)

dev: build devserver ## run everything on this machine, until Ctrl-C
	bin/steward dev

build: ## build bin/steward
	@go build -ldflags '-X main.version=$(VERSION)' -o bin/steward ./starter

devserver: build
	@bin/steward devserver > /dev/null

test: ready ## run every test, with the race detector; PACKAGES=./internal/stats/... runs some
	go vet ./...
	$(GOTESTSUM) --format pkgname -- -race -timeout 15m $(PACKAGES)

conformance: ready ## hold the local cloud against AWS's contract, and count what is covered
	@cd internal/conformance && go test -count=1 -race

ready: $(GOTESTSUM) devserver
	@.ci/prepare
	@.ci/python > /dev/null

check: format lint schema ## check format, style, imports, workflow determinism, go.mod and the schema
	go mod tidy -diff

format:
	@files=$$(git ls-files '*.go' --cached --others --exclude-standard); \
	unformatted=$$(gofmt -l $$files); \
	if [[ -n $$unformatted ]]; then echo "not formatted (run gofmt -w):"; echo "$$unformatted"; exit 1; fi

lint: $(GOLANGCI_LINT) $(WORKFLOWCHECK)
	$(GOLANGCI_LINT) run
	$(WORKFLOWCHECK) -config workflows/workflowcheck.yaml ./workflows/...

schema:
	@new=$$(mktemp); trap 'rm -f $$new' EXIT; go run ./internal/spec/generate $$new; \
	cmp -s $$new internal/spec/schema.json || { echo "internal/spec/schema.json is out of date: run go generate ./internal/spec"; exit 1; }

bench: build devserver ## measure against bare Temporal; CASE=<name> runs one
	@go run ./internal/bench $(if $(CASE),-case $(CASE))

goldens: ## compute the golden values anew with scikit-learn, SciPy and others
	@python=$$(.ci/python internal/bench/peers/requirements.txt); \
	for file in $$(git ls-files '*/golden.py'); do echo "$$file"; "$$python" "$$file"; done

aa: ## compare 1,000 windows of unchanged data at the default settings, and of changed data; WINDOWS=
	go test ./internal/stats -count 1 -v -run 'TestFalseAlarms|TestPower' -timeout 30m -args -windows $(WINDOWS)

endure: ## kill -9 the local cloud 50 times under load, change an endpoint 100 times under traffic; KILLS=, UPDATES=, SEED=
	go test ./internal/e2e -count 1 -v -run Endures -args -kills $(KILLS) -updates $(UPDATES) -seed $(SEED)

fuzz: ## feed every decoder what nobody would send; FUZZTIME=60s for each, FUZZ=<pattern> chooses some
	@for file in $$(git grep -l '^func Fuzz' -- '*_test.go'); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' $$file | grep -E '$(FUZZ)'); do \
			echo "== $$(dirname $$file) $$target"; \
			go test ./$$(dirname $$file) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x -parallel 2; \
		done; \
	done

$(GOTESTSUM):
	@echo "installing gotestsum 1.13.0 into .tools"
	@GOFLAGS= GOBIN=$(@D) go install gotest.tools/gotestsum@v1.13.0

$(GOLANGCI_LINT):
	@echo "installing golangci-lint 2.15.0 into .tools; this takes some minutes"
	@GOFLAGS= GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

$(WORKFLOWCHECK):
	@echo "installing workflowcheck 0.6.0 into .tools"
	@GOFLAGS= GOBIN=$(@D) go install go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0
