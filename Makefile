# The work is done by the scripts; this file only names it.

PREFIX ?= /usr/local
DESTDIR ?=

.DEFAULT_GOAL := help
.PHONY: help build demo test soak format bench install docs clean

help: ## Show the targets.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

build: ## Build the release into dist/bin.
	scripts/build-release

demo: ## Install what is missing, build the release, run a real project twice.
	scripts/demo

test: ## Install what is missing, build once, run every suite.
	scripts/run-tests

soak: ## Run the tests under faults in their long form, for hours.
	scripts/run-tests build soak

format: ## Format the Swift sources in place.
	scripts/format

bench: ## Measure the release against its peers; see Benchmarks/README.md.
	Benchmarks/run

install: build ## Install the release: make install PREFIX=/usr/local.
	scripts/install-release "$(DESTDIR)$(PREFIX)"

docs: ## Write the generated code and documents again.
	scripts/generate-all

clean: ## Remove everything that was built.
	rm -rf .build dist
