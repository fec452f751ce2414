# Targets of the usage ledger. The Makefile includes this file.

.PHONY: bench-usage
bench-usage: ## the usage ledger beside gunzip and trailscraper (USAGE_RECORDS=1000000)
	scripts/bench-usage $(USAGE_RECORDS)
USAGE_RECORDS ?= 1000000
