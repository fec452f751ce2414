# Targets of the IAM library. The Makefile includes this file.

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
