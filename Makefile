# `make help` says what there is. Variables: PKG (packages, default ./...), RUN
# (tests to run), FUZZTIME (per fuzz target).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PKG ?= ./...
RUN ?= .
FUZZTIME ?= 20s

# ./... does not reach nested modules, so what has to look everywhere loops over
# all of them. With PKG set, that is a package of the root module.
MODULES := . $(filter-out .,$(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path './.git/*' -not -path '*/testdata/*' | sort)))
TESTED := $(if $(filter ./...,$(PKG)),$(filter-out ./tools,$(MODULES)),.)
in-modules = for m in $(TESTED); do (cd $$m && $(1)); done

# Brokers take memory and ports, so packages with real components take turns.
real-test = go test -count 1 -p 1 -timeout 40m -run '$(RUN)'

# The packages of PKG whose tests ask an oracle.
with-oracle = go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' $(PKG) | sed -n 's|^\([^ ]*\) .*/internal/testkit/oracle\b.*|\1|p'

.PHONY: help test race lint install-real real oracle bench fuzz quickstart ci

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 14

test: ## run every test that needs no outside component
	go test -run '$(RUN)' $(PKG)

race: ## the same under the race detector (needs a C compiler)
	go test -race -run '$(RUN)' $(PKG)

lint: ## gofmt, go vet, go mod tidy and the linters of tools/go.mod, in every module
	@tools/lint.sh $(MODULES)

install-real: ## install the real components into the cache outside the tree
	go run ./internal/testkit/cmd/realinstall

real: install-real ## install the real components, then run every test with them
	export HOLDFAST_REQUIRE_REAL=1; $(call in-modules,$(real-test) $(PKG))

oracle: install-real ## compare with the oracles at full counts; PKG=./... picks packages
	export HOLDFAST_REQUIRE_REAL=1 HOLDFAST_ORACLE_FULL=1; \
	$(call in-modules,p=$$($(with-oracle)); [[ -z $$p ]] || $(real-test) $$p)

bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem $(PKG)

fuzz: ## run every fuzz target for FUZZTIME
	@for p in $$(go list $(PKG)); do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "== $$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p; \
		done; \
	done

quickstart: ## see it work, on embedded servers
	go run ./examples/quickstart

ci: ## what CI runs, on this machine
	.ci/run
