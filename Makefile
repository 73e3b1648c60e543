# Rentbook needs Go and nothing else, its tests PostgreSQL too. `make` says what there is to do.

GO   ?= go
LINT  = $(GO) tool -modfile=.ci/tools.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help demo build test check tidy vet format lint static fmt golden bench clean go postgres

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: go ## Serve a made-up landlord with a past on http://127.0.0.1:8080
	$(GO) run ./cmd/rentbook demo

build: go ## Build ./rentbook, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o rentbook ./cmd/rentbook

test: go postgres ## Run all tests, in random order, with the race detector where there is a C compiler
	@if [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v $$($(GO) env CC | cut -d' ' -f1) >/dev/null; then race=-race; \
	else race=; echo 'make test: no C compiler (or cgo is off), so the race detector is off'; fi; \
	set -x; $(GO) test $$race -shuffle=on -timeout 20m ./...

check: tidy static vet test format lint ## Everything that must hold before a commit

tidy: go ## Are go.mod and go.sum as `go mod tidy` leaves them?
	@GO='$(GO)' .ci/tidy

static: go ## Does everything build without C?
	CGO_ENABLED=0 $(GO) build ./...

vet: go ## Run go vet, tests included
	$(GO) vet ./...

format: go ## Is everything formatted? (make fmt does it)
	$(LINT) fmt --diff

lint: go ## Run the linters of .golangci.yml (their first run builds them, some minutes)
	$(LINT) run

fmt: go ## Format everything
	$(LINT) fmt

golden: go ## Create golden files of new events, write docs/events.md anew
	$(GO) test ./commands -run Golden -create
	$(GO) test ./commands -run Catalogue -update

bench: go postgres ## Measure this machine, as ratios, without and with servers (half an hour)
	$(GO) run ./cmd/rentbook bench
	$(GO) test ./cmd/rentbook/bench -run '^$$' -bench Servers -benchtime 1x -timeout 60m
	$(GO) test ./projections -run '^$$' -bench "Repair|Hazard" -timeout 30m

clean: ## Remove what make build made
	rm -f rentbook

# The programs of PostgreSQL, found or installed. The tests start and stop it themselves.
postgres:
	@.ci/postgres

# Go of at least the version in go.mod, or one line that says so.
go:
	@have=$$({ $(GO) env GOVERSION || (cd / && $(GO) env GOVERSION); } 2>/dev/null | sed -n 's/.*go\([0-9][0-9.]*\).*/\1/p'); want=$$(sed -n 's/^go //p' go.mod); \
	[ -n "$$have" ] && printf '%s\n' "$$want" "$$have" | sort -C -V || \
	{ echo "make: Go $$want or later is needed; $${have:+there is }$${have:-there is none}" >&2; exit 1; }
