#!/usr/bin/env bash
# All that a user could want to see pass, on a release build: unit tests, tests that must not compile, consumer projects,
# then real clients and a real Envoy, and what deploy/ has for others to read.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# How many tests a JUnit file has. A failure has ended the run before anyone asks.
tests_in() { grep -oE '\btests="[0-9]+"' "$1" | head -n 1 | grep -oE '[0-9]+'; }

scripts/install.sh build run test deploy
scripts/build.sh release
scripts/ctest.sh release
scripts/integration_test.sh
scripts/check_deploy.sh

note "all passed in $SECONDS s: $(tests_in build/release/ctest.xml) test programs," \
  "$(tests_in build/integration/release/pytest.xml) tests with real Envoy and real clients," \
  "$(tests_in build/deploy.xml) of the chart"
