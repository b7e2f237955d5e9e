#!/usr/bin/env bash
# Runs the tests of a built preset: ctest.sh <preset> [ctest option]...
set -euo pipefail
source "$(dirname "$0")/lib.sh"

preset=${1:?usage: ctest.sh <preset> [ctest option]...}
command=(ctest --preset "$preset" --parallel "$(nproc)" --no-tests=error
  --output-junit "$PWD/build/$preset/ctest.xml" "${@:2}")

# GCC 12's ThreadSanitizer cannot place its shadow memory under a kernel that randomises addresses by more than 28 bits.
if [[ $preset == tsan ]] && setarch --addr-no-randomize true 2>/dev/null; then
  command=(setarch --addr-no-randomize "${command[@]}")
fi

note "testing the preset $preset"
"${command[@]}" || die "tests failed (see above); one alone: ctest --preset $preset -R <name>"
