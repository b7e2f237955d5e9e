#!/usr/bin/env bash
# Configures and builds a preset, with progress: build.sh <preset> [--bench] [target]...  Without a target: everything; with
# --bench the benchmark's targets are there too.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

preset=${1:?usage: build.sh <preset> [--bench] [target]...}
shift
options=()
if [[ ${1:-} == --bench ]]; then
  options+=(-DEXTPROC_BUILD_BENCH=ON)
  shift
fi
targets=("$@")
# The gate compiles everything once, and nothing again: sources together take half the time.
if [[ $preset == release && -n "${EXTPROC_UNITY:-}" ]]; then
  options+=(-DEXTPROC_UNITY="$EXTPROC_UNITY")
fi

if command -v ccache >/dev/null; then
  options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
fi

note "configuring the preset $preset"
quietly cmake --preset "$preset" "${options[@]}" ||
  die "CMake could not configure (see above): run 'make install', or after a change of compiler 'make clean'"

note "building the preset $preset${targets:+: ${targets[*]}}"
cmake --build --preset "$preset" ${targets:+--target "${targets[@]}"} ||
  die "the build failed (see above)"
