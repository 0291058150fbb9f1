# The verbs of Picket. `make` alone lists them; scripts/ holds what is longer than a line.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
GOBUILD  := $(GO) build -ldflags "$(LDFLAGS)"
DATA     ?= .picket/demo
FUZZTIME ?= 10s
ONLY     ?=
ARGS     ?=
export GO
# One way to compile for everything but the race detector: build, vet, lint, tests
# and the programs that tests build share what the go command keeps.
export GOFLAGS := $(strip -trimpath $(filter-out -trimpath,$(shell $(GO) env GOFLAGS 2>/dev/null)))
export CGO_ENABLED := 0

.PHONY: help build run test check bench web dev fuzz e2e bpf clean

help:
	@echo 'make build   console and both binaries, into bin/'
	@echo 'make run     build, start Picket with embedded storage, enrol this machine, add simulated devices, print where to sign in'
	@echo 'make test    install what tests need, then run all of them: Go, console, browser'
	@echo 'make check   format, vet, lint, floors and budgets, cross-builds, generated files'
	@echo 'make bench   measure and print beside the targets; ONLY=name runs one'
	@echo 'make web     the console alone, into web/dist'
	@echo 'make dev     server, and the console with live reload'
	@echo 'make fuzz    every fuzz target for FUZZTIME (10s)'
	@echo 'make e2e     the browser tests against the built binaries'
	@echo 'make bpf     compile the agent'"'"'s programs for the kernel, after a change of their source'
	@echo 'make clean   remove bin/, web/dist and the demo data in .picket/'

build: web
	@scripts/need.sh go git
	@$(GOBUILD) -o bin/picket ./cmd/picket
	@$(GOBUILD) -o bin/picket-agent ./cmd/picket-agent
	@echo "built bin/picket and bin/picket-agent $(VERSION)" >&2

# Only the server writes to stdout, so that the last line is the sign-in link and nothing else is there.
run:
	@$(MAKE) build >&2
	@exec bin/picket demo --data $(DATA) $(ARGS)

web:
	@scripts/web.sh

test:
	@scripts/need.sh go git node npm
	@scripts/test-deps.sh
	@$(MAKE) build
	@scripts/test.sh

check:
	@scripts/need.sh go git node npm
	@scripts/check.sh

bench:
	@scripts/need.sh go
	@$(MAKE) build
	@$(GO) run ./bench $(if $(ONLY),ONLY=$(ONLY)) $(ARGS)

dev:
	@scripts/need.sh go node npm
	@scripts/dev.sh $(DATA)

fuzz:
	@scripts/need.sh go
	@scripts/fuzz.sh $(FUZZTIME)

e2e:
	@scripts/need.sh go git node npm
	@scripts/test-deps.sh
	@$(MAKE) build
	@cd web && npm run --silent e2e

bpf:
	@scripts/bpf.sh

clean:
	@rm -rf bin .picket web/e2e/out
	@find web/dist -mindepth 1 ! -name .gitkeep -delete 2>/dev/null || true
