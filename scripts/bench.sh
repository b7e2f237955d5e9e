#!/usr/bin/env bash
# Measures extproc against the floor and its peers: bench.sh [option of bench/run.py]...  QUICK=1 takes under three minutes, once
# everything is built.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh

scripts/install.sh build run
# A peer whose toolchain is missing is reported as missing by the benchmark; without the loads there is none.
for tool in h2load wrk; do
  command -v "$tool" >/dev/null || die "$tool is missing: apt-get install nghttp2-client wrk, then run this again"
done
venv_install scripts/requirements-test.txt

ENVOY=$(scripts/envoy_path.sh)
export ENVOY
note "the benchmark needs a quiet machine: nothing else should run meanwhile"
"$venv_dir/bin/python" bench/run.py "$@" || die "the benchmark did not end well (see above)"
