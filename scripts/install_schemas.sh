#!/usr/bin/env bash
# Copies the Kubernetes schemas of Envoy Gateway, Istio and cert-manager into build/schemas, from their Go modules: install_schemas.sh <go>
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/go.sh

go=${1:?usage: install_schemas.sh <go>}
requirements=scripts/requirements-schemas.txt
folder=build/schemas
cmp --silent "$requirements" "$folder/installed-requirements.txt" && exit

GOPATH="$(dirname "$go_bin_dir")"
export GOPATH GOTOOLCHAIN=local GOFLAGS="-modcacherw -mod=mod"

note "copying into $folder: the schemas of Envoy Gateway, Istio and cert-manager"
mkdir -p "$folder"
while read -r module version hash file name; do
  [[ "$module" == \#* ]] && continue
  from=$(module_folder "$module" "$version" "$hash")
  install -m 644 "$from/$file" "$folder/$name"
done <"$requirements"
cp "$requirements" "$folder/installed-requirements.txt"
