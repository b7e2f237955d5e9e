#!/usr/bin/env bash
# Counts the instructions of the library's hot paths and compares them with their budget. With --record they become the budget.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh build
command -v valgrind >/dev/null || die "valgrind is missing: apt-get install valgrind, then run this again"
note "building bench_instructions"
quietly cmake -S . -B build/bench/programs -G Ninja -DCMAKE_BUILD_TYPE=Release -DEXTPROC_BUILD_BENCH=ON
quietly cmake --build build/bench/programs --target bench_instructions
python3 bench/instructions/check.py "${1:---check}" || die "the instructions are over their budget (see above)"
