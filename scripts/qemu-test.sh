#!/usr/bin/env bash
# Proves one boot against the ladder of tests/boot. Exit 0 = proven, 1 = not, 2 = wrong usage.
#
# Options by environment: SMP, REQUIRE_SMP, RUN_UNTIL_MARKER, RUN_PHASE, RUN_TIMEOUT (docs/testing/README.md).
set -eu
cd "$(dirname "$0")/.."
exec cargo xtask proof "$@"
