#!/usr/bin/env bash
# Builds and serves one processor with logging: run.sh [module.Name]. Without a name: the base processor.
# PORT (50051) and LOG_LEVEL come from the environment.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh build
scripts/build_product.sh
note "serving ${1:-the base processor} on port ${PORT:-50051}, until Ctrl-C"
exec ./build/release/extproc serve ${1:+--service "$1"} --port "${PORT:-50051}" --logging
