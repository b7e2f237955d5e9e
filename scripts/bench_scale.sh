#!/usr/bin/env bash
# Measures 1, 2 and 4 replicas behind one Envoy while they are added, drained and killed: bench_scale.sh [option of bench/scale.py]...
# It takes five minutes.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh

scripts/install.sh build run test bench
scripts/build.sh release --bench extproc_command examples echo_upstream test_processors bench_load
ENVOY=$(scripts/envoy_path.sh)
export ENVOY EXTPROC_BUILD_DIR="$PWD/build/release" EXTPROC_MODULE_PATH="$PWD/build/release"
note "the benchmark needs a quiet machine: nothing else should run meanwhile"
"$venv_dir/bin/python" bench/scale.py "$@" || die "the benchmark did not end well (see above)"
