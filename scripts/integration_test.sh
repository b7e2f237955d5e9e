#!/usr/bin/env bash
# Runs tests/integration against the release build: integration_test.sh [pytest option]...
set -euo pipefail
source "$(dirname "$0")/lib.sh"

ENVOY=$(scripts/envoy_path.sh)
export ENVOY
export EXTPROC_BUILD_DIR="$PWD/build/release"
export PATH="$go_bin_dir:$PATH"

mkdir -p build/integration
note "testing with Envoy $("$ENVOY" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1) and real gRPC clients"
"$venv_dir/bin/python" -m pytest tests/integration --junitxml=build/integration/pytest.xml \
  -o cache_dir=build/integration/cache "$@" ||
  die "integration tests failed (see above); one alone: scripts/integration_test.sh -k <name>"
