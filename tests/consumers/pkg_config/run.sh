#!/bin/sh
# Builds consumers as a Makefile would, with nothing but pkg-config, and runs them: run.sh <compiler> <output> [tls]
set -eu
# shellcheck disable=SC2046  # the flags are words
"$1" -std=c++20 -o "$2" "$(dirname "$0")/../main.cc" $(pkg-config --cflags --libs extproc)
"$2"
[ "${3:-}" = tls ] || exit 0
# shellcheck disable=SC2046
"$1" -std=c++20 -o "$2_tls" "$(dirname "$0")/../tls.cc" $(pkg-config --cflags --libs extproc-tls)
"$2_tls"
