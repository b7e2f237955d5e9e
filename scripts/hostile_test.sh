#!/usr/bin/env bash
# Attacks the server: hostile_test.sh [--preset asan] [option of tests/hostile/run.py]...  Without --preset it is the release build,
# which has to be there; with it the programs under attack are built first.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

preset=release
options=()
if [[ "${1:-}" == --preset ]]; then
  preset=${2:?usage: hostile_test.sh [--preset asan] [option of tests/hostile/run.py]...}
  shift 2
  scripts/install.sh build run test clang
  scripts/build.sh "$preset" hostile_programs
  options+=(--sanitized)
fi

ENVOY=$(scripts/envoy_path.sh)
export ENVOY
export EXTPROC_BUILD_DIR="$PWD/build/$preset"

# As scripts/integration_test.sh has it.
results="$PWD/build/hostile/$preset" reports="$PWD/build/hostile/$preset/sanitizer"
mkdir -p "$results"
rm -rf "${reports:?}"
mkdir "$reports"
export ASAN_OPTIONS="log_path=$reports/asan:quarantine_size_mb=16" UBSAN_OPTIONS="log_path=$reports/ubsan:print_stacktrace=1"

note "attacking the preset $preset"
status=0
python3 -B tests/hostile/run.py "${options[@]}" "$@" || status=$?
mapfile -t found < <(find "$reports" -type f -size +0)
if ((${#found[@]} > 0)); then
  head -n 60 "${found[@]:0:3}" >&2
  die "a sanitizer found something: ${#found[@]} reports in $reports, the first above"
fi
((status == 0)) || die "attacks have broken thresholds (see above); one alone: scripts/hostile_test.sh <name>"
