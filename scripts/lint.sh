#!/usr/bin/env bash
# Checks the format, then runs clang-tidy over the library, the command and the examples.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh build lint
scripts/format.sh --check

# The release build's commands: after `make test` nothing is left to configure or to generate.
scripts/build.sh release extproc_command
note "clang-tidy"
# GCC's warning options are in the commands and unknown to clang.
quietly run-clang-tidy-16 -quiet -p build/release -j "$(nproc)" -extra-arg=-Wno-unknown-warning-option \
  "^$PWD/(src|examples)/" || die "clang-tidy found something (see above)"
note "clang-tidy found nothing"
