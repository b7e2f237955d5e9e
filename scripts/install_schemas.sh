#!/usr/bin/env bash
# Copies the Kubernetes schemas of Envoy Gateway and Istio into build/schemas, from their Go modules: install_schemas.sh <go>
set -euo pipefail
source "$(dirname "$0")/lib.sh"

go=${1:?usage: install_schemas.sh <go>}
requirements=scripts/requirements-schemas.txt
folder=build/schemas
cmp --silent "$requirements" "$folder/installed-requirements.txt" && exit

GOPATH="$(dirname "$go_bin_dir")"
export GOPATH GOTOOLCHAIN=local GOFLAGS="-modcacherw -mod=mod"

# Where a module's files are; $3 is the hash that it must have.
module_folder() {
  local download
  download=$(cd / && "$go" mod download -json "$1@$2") ||
    die "$1 $2 could not be downloaded: check the network or GOPROXY, then run this again"
  [[ "$download" == *"\"Sum\": \"$3\""* ]] || die "$1 $2 has another hash than $requirements says"
  sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$download"
}

note "copying into $folder: the schemas of Envoy Gateway and Istio"
mkdir -p "$folder"
while read -r module version hash file name; do
  [[ "$module" == \#* ]] && continue
  from=$(module_folder "$module" "$version" "$hash")
  install -m 644 "$from/$file" "$folder/$name"
done <"$requirements"
cp "$requirements" "$folder/installed-requirements.txt"
