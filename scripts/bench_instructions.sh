#!/usr/bin/env bash
# Counts the instructions of the library's hot paths and compares them with their budget. With --record they become the budget.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh build instructions
scripts/build.sh release --bench bench_instructions
python3 bench/instructions/check.py "${1:---check}" || die "the instructions are over their budget (see above)"
