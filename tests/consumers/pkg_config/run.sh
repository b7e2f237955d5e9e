#!/bin/sh
# Builds the consumer as a Makefile would, with nothing but pkg-config, and runs it: run.sh <compiler> <output>
set -eu
# shellcheck disable=SC2046  # the flags are words
"$1" -std=c++20 -o "$2" "$(dirname "$0")/../main.cc" $(pkg-config --cflags --libs extproc)
"$2"
