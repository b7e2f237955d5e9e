#!/usr/bin/env bash
# Envoy takes a module by the installed filter, and the file that has both in it: validate_in_envoy.sh <extproc command> <folder of
# libextproc_envoy.so> <folder of the module> <module.Processor> <name of the file of both>
set -euo pipefail
command=$1 filter=$2 built=$(realpath "$3") service=$4 both=$5
envoy=$("$(dirname "$0")/../../scripts/envoy_path.sh")

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

validate() { # <folder that Envoy looks into> <configuration>
  ENVOY_DYNAMIC_MODULES_SEARCH_PATH=$1 "$envoy" --mode validate -c "$2" --log-level warning
}

"$command" config --in-process --format full --service "$service" --module-path "$built" >"$folder/filter.yaml"
validate "$filter" "$folder/filter.yaml"
sed "s/name: \"\?extproc_envoy\"\?/name: $both/; s/\"\?$service\"\?/\"${service#*.}\"/" "$folder/filter.yaml" >"$folder/both.yaml"
grep -q "name: $both" "$folder/both.yaml" || { echo "the configuration names no file of a filter" >&2; exit 1; }
validate "$built" "$folder/both.yaml"
if validate "$built" "$folder/filter.yaml"; then
  echo "Envoy took a file that is not there" >&2
  exit 1
fi
