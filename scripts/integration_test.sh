#!/usr/bin/env bash
# Runs tests/integration against what a preset built: integration_test.sh [--preset asan|tsan|... | --tls] [pytest option]...
# Without --preset it is the release build. What is not up to date of the programs under test is built first. With --tls the
# main groups run, and every processor that listens on a port speaks mutual TLS with Envoy and all others.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

preset=release
launcher=()
if [[ "${1:-}" == --preset ]]; then
  preset=${2:?usage: integration_test.sh [--preset asan|tsan|...] [pytest option]...}
  shift 2
  scripts/install.sh build run test clang
fi
scripts/build.sh "$preset" integration_programs

tests=(tests/integration)
name=$preset
if [[ "${1:-}" == --tls ]]; then
  shift
  name=tls
  tests=()
  for group in headers bodies body_streams chain chain_bodies context early_end held_headers large_bodies load modes no_content \
    rules shutdown streamed_response failures deadlines tls tls_reload connection_age; do
    tests+=("tests/integration/test_$group.py")
  done
  # Its Envoy has what `extproc config` writes for clear text.
  tests+=(--deselect test_shutdown.py::test_a_replica_that_is_killed_costs_what_it_had_begun)
  export EXTPROC_TEST_TLS=on EXTPROC_RELOADS_SECONDS=60
fi

ENVOY=$(scripts/envoy_path.sh)
export ENVOY
export EXTPROC_BUILD_DIR="$PWD/build/$preset"
export PATH="$go_bin_dir:$PATH"

# What a sanitizer finds goes to files of its own: a server that a test ends, or whose log nobody reads, hides nothing.
results="$PWD/build/integration/$name" reports="$PWD/build/integration/$name/sanitizer"
mkdir -p "$results"
rm -rf "${reports:?}"
mkdir "$reports"
# With as much freed memory held back as usual, no test could tell what the server itself holds.
export ASAN_OPTIONS="log_path=$reports/asan:quarantine_size_mb=16" UBSAN_OPTIONS="log_path=$reports/ubsan:print_stacktrace=1"
export TSAN_OPTIONS="log_path=$reports/tsan:second_deadlock_stack=1"
# What a sanitizer keeps beside what the program touches: freed memory and red zones, or a shadow of four times the size.
case $preset in
  asan) export EXTPROC_MEMORY_FACTOR=2 ;;
  tsan) export EXTPROC_MEMORY_FACTOR=4 ;;
esac
# See scripts/ctest.sh.
if [[ $preset == tsan ]] && setarch --addr-no-randomize true 2>/dev/null; then
  launcher=(setarch --addr-no-randomize)
fi

note "testing the preset $preset with Envoy $("$ENVOY" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1) and real gRPC clients"
status=0
# Two files of tests at once: most of their time is waiting. `-n 0` behind it has them one after the other.
"${launcher[@]}" "$venv_dir/bin/python" -m pytest -n 2 --dist loadfile "${tests[@]}" --junitxml="$results/pytest.xml" \
  -o cache_dir="$PWD/build/integration/cache" "$@" || status=$?
mapfile -t found < <(find "$reports" -type f -size +0)
if ((${#found[@]} > 0)); then
  head -n 60 "${found[@]:0:3}" >&2
  die "a sanitizer found something: ${#found[@]} reports in $reports, the first above"
fi
((status == 0)) || die "integration tests failed (see above); one alone: scripts/integration_test.sh -k <name>"
