#!/usr/bin/env bash
# Builds and runs the unit tests with a sanitizer: sanitize.sh asan|tsan [--all]. They run all of the library's code. ThreadSanitizer
# sees, unless told --all, only the tests of layers that have threads.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

preset=${1:?usage: sanitize.sh asan|tsan [--all]}
target=tests/unit/all label=unit
[[ $preset != tsan || "${2:-}" == --all ]] || target=unit_tests_with_threads label=threads

scripts/install.sh build
scripts/build.sh "$preset" "$target"
scripts/ctest.sh "$preset" --label-regex "^$label\$"
