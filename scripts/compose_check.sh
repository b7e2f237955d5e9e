#!/usr/bin/env bash
# deploy/compose.yaml without an engine: what docker-compose reads in it, and the same programs with the same settings, names and
# ports, each in a network of its own, asked as the documentation says. Needs root.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[[ $EUID -eq 0 ]] || die "make compose-check makes networks: run it as root"
scripts/install.sh build run test compose
scripts/build.sh release extproc_command examples echo_upstream
started=$SECONDS
"$venv_dir/bin/python" -m pytest -q -o cache_dir="$PWD/build/compose" --junitxml="$PWD/build/compose.xml" tests/deploy/test_compose.py "$@" ||
  die "deploy/compose.yaml is not what it should be (see above)"
services=$(docker-compose -f deploy/compose.yaml --profile observability config --services | wc -l)
note "compose: $services services (Jaeger's by its configuration alone), the documented transcripts passed, in $((SECONDS - started)) s"
