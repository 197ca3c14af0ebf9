# Everything that is done with this repository. `make help` lists it.

SHELL := /bin/bash
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Where `make run` keeps its data.
DATA_DIR ?= ./patchbay-data
# Where throwaway servers for tests keep theirs.
SERVICES_DIR := target/services
# Options of the benchmark, such as BENCH_ARGS="--duration 30".
BENCH_ARGS ?=

# Crates whose suites run on PostgreSQL and RabbitMQ too. Test binaries of some crates are chosen by a runner (ONLY), because
# cargo would build everything once more for a part of the workspace.
SERVICES := $(patsubst services/%/Cargo.toml,patchbay-%,$(wildcard services/*/Cargo.toml))
ON_SERVERS := patchbay-store patchbay-service $(SERVICES)
ONLY = target."cfg(unix)".runner = ["$(CURDIR)/deploy/services.sh", "of", "$(1)"]

.DEFAULT_GOAL := help
.PHONY: help build fmt lint test test-with-services soak services-up services-down run bench clean-data tools

help: ## Lists what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

run: tools ## Builds the product and starts it with demo data in ./patchbay-data; Ctrl-C ends it
	cargo build --release -p patchbay
	exec "$(TARGET)/release/patchbay" up --demo --data-dir "$(DATA_DIR)"

test: tools ## Builds everything once and runs all tests, on every engine and broker
	cargo build --workspace --all-targets
	deploy/services.sh with "$(SERVICES_DIR)" $(MAKE) --no-print-directory test-with-services

# What `test` runs when PostgreSQL and RabbitMQ are there.
test-with-services:
	cargo test --workspace --no-fail-fast
	PATCHBAY_TEST_STORE=postgres PATCHBAY_TEST_BROKER=rabbitmq \
		cargo --config '$(call ONLY,$(ON_SERVERS))' test --workspace --tests --no-fail-fast

soak: tools ## Kills everything under load for ten minutes, in an order that PATCHBAY_CHAOS_SEED decides
	cargo build --workspace --all-targets
	PATCHBAY_CHAOS_SECONDS=$(or $(PATCHBAY_CHAOS_SECONDS),600) deploy/services.sh with "$(SERVICES_DIR)" \
		cargo --config '$(call ONLY,patchbay-tests)' test --workspace --test it -- chaos --nocapture

services-up: ## Starts PostgreSQL and RabbitMQ for tests, prints lines for `eval`
	@deploy/services.sh up "$(SERVICES_DIR)"

services-down: ## Ends them and removes their data
	@deploy/services.sh down "$(SERVICES_DIR)"

build: tools ## Builds the executable with optimisation
	cargo build --release -p patchbay

fmt: tools ## Formats the code
	cargo fmt --all

lint: tools ## Checks format and lints; a warning is an error
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

bench: tools ## Measures the whole path against a bare pipeline; options in BENCH_ARGS
	cargo build --release -p patchbay -p patchbay-load
	"$(TARGET)/release/patchbay-load" $(BENCH_ARGS)

clean-data: ## Removes the data of `make run`
	rm -rf -- "$(DATA_DIR)"

tools:
	@missing=0; \
	if ! command -v cargo >/dev/null; then missing=1; \
		echo "cargo is missing: install Rust 1.95 or later with rustup (https://rustup.rs)" >&2; \
	fi; \
	if ! command -v cc >/dev/null; then missing=1; \
		echo "cc, a C compiler and linker, is missing: on Debian and Ubuntu \`apt-get install build-essential\`," \
			"on Fedora \`dnf install gcc\`, on macOS \`xcode-select --install\`" >&2; \
	fi; \
	exit $$missing
