# make prints its verbs.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail
GO ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
ARGS ?=

.PHONY: help run demo build tools web generate test ready modules check lint fuzz e2e torture bench matrix paths deps clean

help: ## this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: build ## build everything and start a complete gateway with demo accounts on http://localhost:8080
	./bin/jedel serve --demo $(ARGS)

demo: build ## run, with a lifelike city beside it: calls, reports, patrols, cameras; ends both at Ctrl+C
	@bash deploy/demo.sh $(ARGS)

build: web tools ## pages and binaries into bin/
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

# The verifiers that go along with copies of recordings; their receivers have other machines.
tools:
	@for os in linux windows; do \
		CGO_ENABLED=0 GOOS=$$os GOARCH=amd64 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/tools/evr-$$os-amd64$$([ $$os = windows ] && echo .exe) ./cmd/evr || exit 1; \
	done

web: web/dist/index.html ## the pages

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(shell find web -type f \( -name '*.ts' -o -name '*.tsx' -o -name '*.css' -o -name '*.html' -o -name '*.json' -o -name '*.mjs' -o -name '*.svg' -o -name '*.png' -o -name '*.webmanifest' -o -name '*.js' \) -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null) internal/fault/words.json
	cd web && npm run --silent build
	@touch web/dist/.keep $@

generate: ## what is written from the Go types
	$(GO) test ./signaling/wire/tsgen -update

deps: ## what the tests need from the system; installed where we may, named where not
	@bash deploy/deps.sh

check: web ## the quick part: vet, lint, unit tests, race; no network, under a minute when warm
	$(GO) vet ./...
	@test -z "$$(gofmt -l cmd internal media recorder signaling web/*.go)" || { gofmt -l cmd internal media recorder signaling web/*.go; exit 1; }
	$(GO) test -race -short ./...
	cd web && npm run --silent check

# Everything is built with the flags of a release: other flags would compile every module a second time.
test: export GOFLAGS := $(GOFLAGS) -trimpath
test: ## every test a release needs, real browser and servers included
	@$(MAKE) --no-print-directory -j2 ready modules
	$(GO) vet ./...
	@test -z "$$(gofmt -l cmd internal media recorder signaling web/*.go)" || { gofmt -l cmd internal media recorder signaling web/*.go; exit 1; }
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...
	bash deploy/gotest.sh
	cd web && npm run --silent test
	node e2e/run.mjs

ready: deps
	@$(MAKE) --no-print-directory web

# What needs no page of ours is compiled while packages are fetched: the one waits for the network, the other for the processor.
modules: tools
	@$(GO) build $$($(GO) list -e -deps -test -f '{{if and .Module (not .ForTest) (ne .Name "main")}}{{if not .Module.Main}}{{.ImportPath}}{{end}}{{end}}' ./...)

e2e: deps build ## the browser tests only; node e2e/run.mjs NAME runs those whose name begins so
	node e2e/run.mjs

# S1016 would tie requests to the records they become: they are alike today and need not stay so.
lint: web ## vet, gofmt, staticcheck, structure, known vulnerabilities
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) -checks inherit,-S1016 ./...
	$(GO) test ./internal/archtest
	$(GO) run $(GOVULNCHECK) ./...

fuzz: ## every fuzz target for 30 s
	@for pkg in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
		echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s $$pkg || exit 1; done; done

torture: build ## kill -9 at 200 random instants of a recording; 10,000 changed archives and 10,000 untouched ones; 10,000 interrupted uploads; pages in every language, size and theme at once
	JEDEL_TEST_KILLS=200 $(GO) test -count=1 -timeout 60m -run KillLoses ./recorder
	JEDEL_TEST_UPLOADS=10000 $(GO) test -count=1 -v -timeout 60m -run InterruptedUploads ./internal/app
	JEDEL_TEST_PROOFS=10000 $(GO) test -count=1 -v -timeout 60m -run 'EveryChange|Untouched|ALogIsChecked' ./recorder/sitelog ./recorder/verify ./recorder/logcheck
	JEDEL_TEST_LOOKS=all node e2e/run.mjs admin caller evidence pages

bench: build ## the figures that the goals speak of
	deploy/bench.sh
	deploy/bench-net.sh
	$(GO) test -run '^$$' -bench . -benchmem ./media/... ./recorder/... ./internal/store/... ./internal/stats ./signaling
	cd e2e && node goals.mjs
	SPEEDS=hold node e2e/run.mjs admin blocked board cases clients guests patrol wall
	cd e2e && node thin.mjs 10

paths: build ## how long nothing is heard when the way dies in mid-call: NAT, UDP blocked, address, blackouts; RUNS=20 for more
	cd e2e && node paths.mjs

matrix: deps build ## what is heard over links that lose, delay and narrow, in real Chromium; docs/LOSS.md; ARGS="--cells loss-30 --variants all,fec"
	node e2e/loss/matrix.mjs --save now $(ARGS)

clean: ## built files, not data
	rm -rf bin web/dist/* web/node_modules
