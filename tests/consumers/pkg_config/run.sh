#!/bin/sh
# Builds consumers as a Makefile would, with nothing but pkg-config, and runs them: run.sh <compiler> <output> [tls] [blocks] [testing_inside]
set -eu
# shellcheck disable=SC2046  # the flags are words
"$1" -std=c++20 -o "$2" "$(dirname "$0")/../main.cc" $(pkg-config --cflags --libs extproc)
"$2"
compiler=$1 output=$2
shift 2
for part; do
  case $part in
    blocks) packages="extproc-coding extproc-redact extproc-jwt extproc-client extproc-redis" ;;
    *) packages=extproc-$(echo "$part" | tr _ -) ;;
  esac
  # shellcheck disable=SC2046,SC2086
  "$compiler" -std=c++20 -o "${output}_$part" "$(dirname "$0")/../$part.cc" $(pkg-config --cflags --libs $packages)
  "${output}_$part"
done
