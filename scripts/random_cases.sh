#!/usr/bin/env bash
# Plays random cases through the test kit and a real Envoy, and shrinks what differs: random_cases.sh SEED COUNT [FIRST]
# Case N of a seed is always the same. It installs and builds what it needs.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[[ $# -eq 2 || $# -eq 3 ]] || die "usage: random_cases.sh SEED COUNT [FIRST]: cases FIRST (0) to FIRST + COUNT of that seed"
scripts/install.sh build run test
scripts/build.sh release integration_programs
ENVOY=$(scripts/envoy_path.sh)
export ENVOY
PYTHONPATH=tests/integration exec nice "$venv_dir/bin/python" -m harness.random_cases "$@"
