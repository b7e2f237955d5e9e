#!/usr/bin/env bash
# Measures extproc against a bare nghttp2 server and its peers: bench.sh [option of bench/run.py]...  QUICK=1 takes under three
# minutes, once everything is built. With --beside TREE, against another tree of this project whose server is built, and no others.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh

# Rust and Go are not Debian's business: where one is missing, the benchmark reports its peer as missing.
scripts/install.sh build run bench
venv_install scripts/requirements-test.txt

# All of it: the blocks too.
if (($# == 0)); then
  scripts/build.sh release --bench bench_blocks >/dev/null
  build/release/bench/blocks/bench_blocks || note "a block missed its goal (see above)"
fi

ENVOY=$(scripts/envoy_path.sh)
export ENVOY
note "the benchmark needs a quiet machine: nothing else should run meanwhile"
# Relative paths among the options are the caller's.
root=$PWD
cd "$OLDPWD"
"$venv_dir/bin/python" "$root/bench/run.py" "$@" || die "the benchmark did not end well (see above)"
