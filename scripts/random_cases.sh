#!/usr/bin/env bash
# Plays random cases through the test kit and a real Envoy, and shrinks what differs: random_cases.sh SEED COUNT [FIRST]
# Case N of a seed is always the same. Needs the release build's envoy_cases.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[[ $# -eq 2 || $# -eq 3 ]] || die "usage: random_cases.sh SEED COUNT [FIRST]: cases FIRST (0) to FIRST + COUNT of that seed"
ENVOY=$(scripts/envoy_path.sh)
export ENVOY
PYTHONPATH=tests/integration exec nice "$venv_dir/bin/python" -m harness.random_cases "$@"
