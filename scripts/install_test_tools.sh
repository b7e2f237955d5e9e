#!/usr/bin/env bash
# Installs what the integration tests use: Python packages into build/venv, Go programs into build/go/bin, schemas into
# build/schemas.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh
source scripts/go.sh

venv_install scripts/requirements-test.txt

go_module=scripts/tools/go.mod
find_go "$(sed -n 's/^go //p' "$go_module")"
scripts/install_schemas.sh "$go"

# The module cache stays writable, so that `make clean` can remove it.
export GOTOOLCHAIN=local GOFLAGS="-modcacherw -buildvcs=false" GOPATH="$PWD/build/go" GOBIN="$go_bin_dir"
(cd tests/blocks/go && "$go" build -o "$go_bin_dir/blocks_oracle" .) ||
  die "tests/blocks/go could not be built (see above): check the network or GOPROXY, then run this again"

installed="$go_bin_dir/installed-go.mod"
cmp --silent "$go_module" "$installed" && exit

note "building into build/go/bin: h2spec, grpc-health-probe, grpcurl"
(cd scripts/tools && "$go" install tool) ||
  die "the Go tools could not be built (see above): check the network or GOPROXY, then run this again"
cp "$go_module" "$installed"
