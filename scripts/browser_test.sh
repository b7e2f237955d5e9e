#!/usr/bin/env bash
# Tests the page of the admin service in Chromium: browser_test.sh [pytest option]...  The release build has to be there.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh run test browser
export EXTPROC_BUILD_DIR="$PWD/build/release"
export PYTHONPATH="$PWD/tests/integration"

note "testing the admin service in $(chromium --version 2>/dev/null || echo a browser)"
results="$PWD/build/browser"
mkdir -p "$results"
"$venv_dir/bin/python" -m pytest tests/browser --junitxml="$results/pytest.xml" -o cache_dir="$results/cache" "$@" ||
  die "browser tests failed (see above); one alone: scripts/browser_test.sh -k <name>"
