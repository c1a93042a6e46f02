# Thin over `cargo xtask`: every target makes sure that the machine is set up, then calls one command.
# Options: make run SMP=1..8 MEM=128M DISK=path; make setup QEMU=10 FALLBACK=1.

export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench image dep-gate diag-os test-os test-smp gdb doctor clean

XTASK := env -u MAKEFLAGS cargo xtask

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 18

setup: ## install what this machine lacks
	@QEMU=$(QEMU) FALLBACK=$(FALLBACK) SETUP_VERBOSE=1 scripts/setup.sh

run: .ready ## boot to the prompt
	@$(XTASK) run

test: .ready ## every suite, with the table at the end
	@$(XTASK) test

check: .ready ## fmt, clippy, gates, dep-gate, host tests
	@$(XTASK) test fmt check lint-host dep-gate build-host host-tests

bench: .ready ## the benchmark table
	@$(XTASK) bench

image: .ready ## kernel and boot image
	@$(XTASK) image

dep-gate: .ready ## what the crates of the target bring
	@$(XTASK) dep-gate

diag-os: .ready ## check and clippy for the target
	@$(XTASK) diag-os

test-os: .ready ## boot proof at one hart
	@SMP=1 ./scripts/qemu-test.sh

test-smp: .ready ## boot proof at two harts, then one
	@SMP=2 REQUIRE_SMP=1 ./scripts/qemu-test.sh
	@SMP=1 ./scripts/qemu-test.sh

gdb: .ready ## boot halted with the debugger attached
	@$(XTASK) gdb

new-app: .ready ## make a program from the template: make new-app NAME=mine
	@$(XTASK) new-app $(NAME)

doctor: ## what is missing, and the command that mends it
	@$(XTASK) doctor

clean: ## forget everything that was built
	@rm -rf target build

.PHONY: .ready
.ready:
	@scripts/setup.sh
	@test -e target/debug/xtask || echo "the first build takes a minute or two: the host tool, then kernel and programs"
