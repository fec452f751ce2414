# make help lists the targets. Only Go is needed for demo and build; test
# installs what it needs, pinned (moto by pip, PostgreSQL and cvc5 by apt-get).
SHELL := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
GO ?= go
export CGO_ENABLED ?= 0

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## the whole loop on a simulated AWS; needs only Go
	@mkdir -p .demo
	@{ $(GO) run ./internal/sdktrim .demo/sdk demo ./cmd/dera && $(GO) build -modfile .demo/sdk/go.mod $(DEMO) -o .demo/dera ./cmd/dera 2>.demo/log; } || \
	{ echo "make demo: the SDK could not be trimmed (.demo/log), so the whole of it is compiled" >&2; $(GO) build $(DEMO) -o .demo/dera ./cmd/dera; }
	@.demo/dera demo --exit
# Built for time: what the demo shows and no more, of the SDK the operations that
# are called (internal/sdktrim), and the SDK and SQLite without
# inlining and without what debuggers read.
DEMO := -tags demo $(foreach module,github.com/aws/aws-sdk-go-v2/service modernc.org,'-gcflags=$(module)/...=-l -dwarf=false')

# The SDK is compiled without inlining, as for the demo: it waits for AWS anyway, and the binary has 3.8 MB less. So is what
# reads the command line, configurations and schemas, and what shows answers and sends messages.
.PHONY: build
build: ## the binary, stripped, in dist/
	@mkdir -p dist
	$(GO) build -trimpath -buildvcs=auto $(foreach module,github.com/aws github.com/spf13 github.com/goccy github.com/invopop github.com/santhosh-tekuri charm.land github.com/charmbracelet dera.example/dera/cmd dera.example/dera/app dera.example/dera/sink dera.example/dera/securityhub dera.example/dera/cloud dera.example/dera/services dera.example/dera/resource dera.example/dera/console dera.example/dera/source dera.example/dera/awssim dera.example/dera/replay golang.org/x github.com/jackc github.com/coreos github.com/go-jose golang.org/x/oauth2,'-gcflags=$(module)/...=-l') -ldflags '-s -w -funcalign=8 -X main.version=$(VERSION)' -o dist/dera ./cmd/dera
	@ls -l dist/dera | awk '{printf "dist/dera: %.1f MB\n", $$5/1e6; exit ($$5 > 60e6)}'

# The tag of a release, else dev. The Go command adds commit and date.
VERSION ?= $(shell git describe --tags --exact-match --match 'v*' 2>/dev/null || echo dev)

.PHONY: vet
vet: ## everything compiles, and go vet (without -trimpath, so that the tests use the same build cache)
	$(GO) build ./...
	$(GO) vet ./...

.PHONY: deps
deps: ## what the tests need: moto, PostgreSQL, cvc5
	scripts/moto-install
	scripts/postgres-install
	scripts/cvc5-install

.PHONY: test
test: deps ## all tests
	$(GO) test -timeout 20m $$($(GO) list ./... | grep -v '/cmd/dera$$')
	@# The commands wait for another process more than they work: two halves at once.
	$(GO) test -timeout 20m -run '$(HALF)' ./cmd/dera & first=$$!; rest=0; \
	$(GO) test -timeout 20m -skip '$(HALF)' ./cmd/dera || rest=$$?; wait $$first; exit $$rest
HALF := ^Test(Moto|Stub)

.PHONY: browser
browser: ## the console in a Chromium, which it installs, judged by axe-core (by npm)
	@chromium=$$(scripts/chromium-install) && axe=$$(scripts/axe-install) && \
	DERA_CHROMIUM=$$chromium DERA_AXE=$$axe TMPDIR=$(MEMORY) $(GO) test -count=1 -timeout 10m -run '^TestBrowser' ./cmd/dera

.PHONY: screenshots
screenshots: ## pictures of the console in docs/img, of the demo
	@mkdir -p docs/img
	@chromium=$$(scripts/chromium-install) && axe=$$(scripts/axe-install) && \
	DERA_CHROMIUM=$$chromium DERA_AXE=$$axe DERA_SCREENSHOTS=$(CURDIR)/docs/img $(GO) test -count=1 -timeout 10m -run '^TestBrowser$$/^pages$$' ./cmd/dera

.PHONY: chaos
chaos: ## engines in a world where everything goes wrong, for minutes SEEDS times (100) and for WEEKS weeks (100); SEED=n runs one alone
	DERA_CHAOS_SEEDS=$(if $(SEED),1,$(SEEDS)) DERA_CHAOS_SEED=$(SEED) DERA_CHAOS_WEEKS=$(WEEKS) TMPDIR=$(MEMORY) $(GO) test ./engine -run '$(if $(SEED),^TestChaos$$,^Test(Chaos|Week)$$)' -count=1 -timeout 20m
SEEDS ?= 100
WEEKS ?= 100

.PHONY: chaos-long
chaos-long: ## 20,000 weeks of it, resumable; WEEK=n runs one alone
	WEEKS=$(if $(filter file,$(origin WEEKS)),20000,$(WEEKS)) WEEK=$(WEEK) TMPDIR=$(MEMORY) scripts/chaos-long
# The databases of the runs lie in memory where there is a place for them.
MEMORY := $(if $(wildcard /dev/shm/.),/dev/shm,$(or $(TMPDIR),/tmp))

.PHONY: race
race: deps ## the tests of everything concurrent under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 60m $(RACE)
RACE ?= ./engine/ ./remediate/ ./store/... ./source/ ./awssim/ ./cloud/... ./evaluate/ ./iam/...

.PHONY: check
check: .tools/staticcheck ## formatting, vet, staticcheck, exhaustive switches
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	.tools/staticcheck ./...
	@.tools/templ generate -path console >/dev/null && git diff --exit-code --stat -- console || { echo "pages are not generated from their templates: make generate"; exit 1; }
	.tools/exhaustive -default-signifies-exhaustive ./...
	@echo "govulncheck: not run (its database is not part of this repository; run it where the network has it)"

.tools/staticcheck: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../.tools/ tool
	@touch $@

.PHONY: extra
extra: ## the suite over the folder of real data that DERA_EXTRA_DATA names
	@[ -n "$$DERA_EXTRA_DATA" ] || { echo "DERA_EXTRA_DATA is not set"; exit 1; }
	@if command -v npm >/dev/null; then $(MAKE) peer; else echo "plans for IAM before another evaluator: not run, since npm is missing"; fi
	$(GO) test -count=1 -timeout 20m -run '^TestExtra' -v ./... | grep -vE '^(=== (RUN|PAUSE|CONT|NAME)|testing: warning|ok .*no tests to run|\?)'

.PHONY: peer
peer: ## plans for IAM before an evaluator of policies that dera did not write (iam-simulate, by npm)
	scripts/iam-peer-install
	DERA_IAM_PEER=$(CURDIR)/.bench $(GO) test -count=1 -run '^TestPeer' $(foreach type,role policy user group,./services/iam/$(type))

.PHONY: long
long: race peer ## what takes too long for CI: the race detector, fuzzing, the estate under faults, mutants of the loop
	$(MAKE) fuzz
	$(MAKE) mixed-long
	$(MAKE) bench-queue STREAM=600
	$(GO) test ./cmd/dera -run '^TestEstate' -count=20 -timeout 30m
	DERA_LIVED_SEEDS=10 TMPDIR=$(MEMORY) $(GO) test ./cmd/dera -run '^TestLivedAccounts$$' -v -count=1 -timeout 60m
	DERA_CHAOS_MUTANTS=1 TMPDIR=$(MEMORY) $(GO) test ./engine -run '^TestChaosCatches$$' -v -count=1 -timeout 60m
	TMPDIR=$(MEMORY) scripts/chaos-mutants
	DERA_IAM_FAULTS=50000 $(GO) test ./services/iam/role -run '^TestFaults$$' -v -count=1 -timeout 60m
	$(GO) test ./engine -run 'TestCrashMatrix|TestServiceThatIsAwayForLong|TestLyingBackend' -count=5 -timeout 30m
	DERA_CRASH_ALL=1 TMPDIR=$(MEMORY) $(GO) test ./engine -run '^(TestCrashMatrix|TestIdentityFaults)$$' -count=1 -timeout 30m
	DERA_REPLICAS=1000 $(GO) test ./cmd/dera -run '^TestReplicas$$' -v -count=1 -timeout 90m

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (20s)
	scripts/fuzz $(FUZZTIME)
FUZZTIME ?= 20s

.PHONY: bench
bench: ## benchmarks of the loop, JSON lines
	@scripts/bench

# Decisions and events as fast as the store and the engine take them, beside a bare durable commit
# in the same run, and dera's jobs beside River's (a module of its own).
.PHONY: bench-store
bench-store: ## decisions/s beside a bare commit, events to decisions, and jobs beside River's
	$(GO) test ./store -run '^$$' -bench '^BenchmarkDecisions$$' -benchtime 5000x -timeout 30m
	$(GO) test ./engine -run '^$$' -bench '^BenchmarkThroughput$$' -benchtime 5000x -timeout 30m
	cd tools/bench && DERA_BENCH_UNITS=10000 $(GO) test -count=1 -run '^Test' -v -timeout 30m . | grep -v 'level='

# A standing million, and a stream of 3,000 a second; STREAM=600 is the ten minutes of make long. First the engine with
# its queue in one process, then the binary before a server that speaks as SQS does: times, memory and CPU are its own.
.PHONY: bench-queue
bench-queue: build ## a queue of a million messages drained, and a stream of 3,000/s for STREAM seconds (60)
	@for load in '$(STANDING)' '$(STREAMING)'; do DERA_BENCH_QUEUE="$$load" $(GO) test ./engine -run '^TestBenchQueue$$' -v -count=1 -timeout 30m | grep -v '^==='; done
	@DERA_BENCH_BINARY=$(CURDIR)/dist/dera DERA_BENCH_QUEUE='[$(STANDING), $(STREAMING)]' $(GO) test ./cmd/dera -run '^TestBenchQueue$$' -v -count=1 -timeout 60m | grep -v '^==='
STREAM ?= 60
STANDING := {"N": 1000000, "Critical": 100, "Relevant": 1, "Call": 10000000}
STREAMING = {"N": $(shell echo $$((3000 * $(STREAM)))), "Critical": $(STREAM), "Relevant": 1, "Call": 10000000, "PerS": 3000}

# The binary before an AWS that is computed from a hash in a process of its own: two sweeps of 10,000, 100,000 and a
# million resources, between which one of a thousand changes, and events. Then a simulated week in cells.
.PHONY: bench-scale
bench-scale: build ## sweeps of up to a million resources in 10,000 accounts, the cost of an event, and a simulated week in cells
	@DERA_BENCH_BINARY=$(CURDIR)/dist/dera DERA_BENCH_SCALE='$(SCALES)' $(GO) test ./cmd/dera -run '^TestBenchScale$$' -v -count=1 -timeout 60m | grep -v '^==='
	@DERA_BENCH_CELLS='$(CELLS)' $(GO) test ./engine -run '^TestBenchCells$$' -v -count=1 -timeout 30m | grep -v '^==='
SCALE = {"Seed": 1, "Accounts": $(1), "Groups": 99, "Wrong": 100, "Changes": 1000, "Opening": 10, "Events": $(2)}
SCALES = [$(call SCALE,100,0), $(call SCALE,1000,10000), $(call SCALE,10000,0)]
CELLS = {"Accounts": 10000, "Cells": 10, "Resources": 10000000, "Skew": 0.9, "PerDay": 0.02, "Irrelevant": 300, "Critical": 0.02, "Seconds": 604800, "Seed": 1, "Flood": 180000, "FloodN": 1000000, "DownCell": 3, "Down": 300000, "DownFor": 86400, "MoveAt": 100000, "MoveFor": 3600}

.PHONY: price
price: ## lines of code of each resource type and control; fails where a new one is over its limit
	@scripts/price

.PHONY: generate
generate: .tools/staticcheck ## bring generated documents, schemas, policies and pages up to date
	.tools/templ generate -path console
	$(GO) test $$(grep -rl 'control/controltest"' --include='*_test.go' services | xargs -n 1 dirname | sort -u | sed 's|^|./|') ./evaluate ./awssim -update
	$(GO) test ./cmd/dera -run '^(TestWires|TestSchemasAreCommitted)' -update

.PHONY: bench-peers
bench-peers: deps build ## dera beside Cloud Custodian and Prowler, which it installs, on one estate in moto (docs/benchmarks.md)
	scripts/peers-install
	$$(scripts/moto-install) tools/peers/measure.py $(PEERS)
PEERS ?=

.PHONY: bench-iam iam-managed fuzz-long mixed-long

# Measure proofs and decisions, beside cvc5 and iam-simulate, into .bench/iam.jsonl.
# IAM_BENCH=bundle, memory, faults, cvc5, aws_pairs, version_diffs or decisions runs one of them.
IAM_BENCH ?=
bench-iam: ## proofs and decisions of the IAM library beside cvc5 and iam-simulate
	scripts/cvc5-install
	scripts/iam-corpus
	rm -f .bench/iam.jsonl
	DERA_IAM_BENCH=$(CURDIR)/.bench go test -count=1 -timeout 30m -run '^TestBench_$(IAM_BENCH)' -v ./iam/reason ./iam/proof
	scripts/iam-table .bench/iam.jsonl

# Narrow each AWS managed policy and compare what is removed with the committed list.
UPDATE ?=
iam-managed: ## what is removed from the AWS managed policies, by service
	scripts/iam-catalog check
	scripts/iam-corpus
	DERA_IAM_BENCH=$(CURDIR)/.bench go test -count=1 -timeout 30m -run '^TestManaged$$' ./iam/catalog/gen $(UPDATE)

# Compare the engine with cvc5 on 10,000 random pairs, and fuzz every parser and law.
FUZZ_PAIRS ?= 10000
FUZZ_SEED ?= 2026
FUZZ_TIME ?= 60s
fuzz-long: ## 10,000 random policy pairs against cvc5, and fuzzing of iam
	scripts/cvc5-install
	DERA_CVC5_PAIRS=$(FUZZ_PAIRS) DERA_CVC5_SEED=$(FUZZ_SEED) go test -count=1 -timeout 90m -run '^TestCVC5_' -v ./iam/reason
	go test -run '^$$' -fuzz '^FuzzSubset$$' -fuzztime $(FUZZ_TIME) ./iam/reason
	go test -run '^$$' -fuzz '^FuzzSolve$$' -fuzztime $(FUZZ_TIME) ./iam/lang
	go test -run '^$$' -fuzz '^FuzzNumberPoint$$' -fuzztime $(FUZZ_TIME) ./iam/lang

# Compare proofs about operators of all types on free text with a concrete evaluator.
MIXED_PAIRS ?= 4000
mixed-long: ## 4,000 random policies with mixed operators on free text: no proof is contradicted
	DERA_MIXED_PAIRS=$(MIXED_PAIRS) go test -count=1 -timeout 30m -run '_on_free_text$$' -v ./iam/proof

.PHONY: bench-usage
bench-usage: ## the usage ledger beside gunzip and trailscraper (USAGE_RECORDS=1000000)
	scripts/bench-usage $(USAGE_RECORDS)
USAGE_RECORDS ?= 1000000
