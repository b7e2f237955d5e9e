#!/usr/bin/env bash
# Builds and runs the unit tests with a sanitizer: sanitize.sh asan|tsan [--all]. They run all of the library's code. Unless told
# --all, ThreadSanitizer sees only the tests that have threads, and of the walks of completeness, which take minutes,
# AddressSanitizer sees one.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

preset=${1:?usage: sanitize.sh asan|tsan [--all]}
target=tests/unit/all label=unit
if [[ "${2:-}" != --all ]]; then
  [[ $preset != tsan ]] || target=unit_tests_with_threads label=threads
  walks=ChainIsFilters
  export GTEST_FILTER="-$walks.ForEachRow:$walks.ForEachPairOfModes:$walks.ForEachPairInOneAnswer:$walks.AfterEachOverride:$walks.ForTheSameInTwoPhases"
fi

scripts/install.sh build clang
scripts/build.sh "$preset" "$target"
scripts/ctest.sh "$preset" --label-regex "^$label\$"
