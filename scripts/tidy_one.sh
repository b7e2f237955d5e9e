#!/usr/bin/env bash
# Runs clang-tidy over one source, quietly unless it finds something: tidy_one.sh <source>
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# GCC's warning options are in the commands and unknown to clang.
quietly clang-tidy-16 --quiet -p build/lint --extra-arg=-Wno-unknown-warning-option "$1"
