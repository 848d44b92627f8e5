# The commands of this house; `make help` lists them.
SHELL      := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Extra flags for `go test` in `make test`; CI sets -v to count results.
TESTFLAGS ?=
# How long each fuzz target runs in `make proof`.
FUZZTIME ?= 60s
# Which pages `make bench` measures; empty means all.
PAGES ?=

BLACKBOX := ^github.com/seawall-edge/seawall/(test|bench)(/|$$)
HOUSE    := ^github.com/seawall-edge/seawall/internal/arch$$

.PHONY: help demo test proof red check fast bench setup build

help: ## list these commands
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

demo: build ## start everything on this machine, with a sample origin
	@exec bin/seawall demo

build: ## build bin/seawall
	go build -o bin/seawall ./cmd/seawall

test: setup check ## every test, as CI runs it (installs Debian packages; below 25 minutes)
	go test -race -count=1 -timeout 20m $(TESTFLAGS) ./...
	go test -count=1 -run 'llocat' $(TESTFLAGS) ./edge/... ./internal/... ./exchange
	$(MAKE) --no-print-directory red

setup: ## install the Debian packages that tests need (root or sudo, only when missing)
	test/setup

check: ## formatting, vet, staticcheck, house test, build
	@echo "gofmt -l"
	@bad=$$(git ls-files --cached --others --exclude-standard -- '*.go' | while read -r f; do if [ -e "$$f" ]; then gofmt -l "$$f"; fi; done); \
	  if [ -n "$$bad" ]; then echo "not formatted (gofmt -w):"; echo "$$bad"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go test -count=1 -run 'House|Rules' ./internal/arch
	go build -o /dev/null ./...

fast: ## vet and the unit tests without the race detector, for the inner loop
	go vet ./...
	go test $$(go list ./... | grep -vE '$(BLACKBOX)' | grep -vE '$(HOUSE)')
	go test -count=1 -run 'House|Rules' ./internal/arch

red: ## apply each patch in test/red and expect its test to fail
	test/red/run

bench: ## side by side with nginx, HAProxy, Varnish and Traffic Server; PAGES="pass-1k idle" for some pages alone
	go run ./bench $(PAGES)

proof: setup check ## the full form: fuzzing, long runs, benchmarks; writes doc/proof.md
	FUZZTIME=$(FUZZTIME) test/proof
