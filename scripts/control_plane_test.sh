#!/usr/bin/env bash
# What deploy/chart and `extproc config` write, taken by real control planes: a Kubernetes API server with the gateways' definitions,
# Envoy Gateway and Istio's pilot, which drive the real Envoy in front of our server. control_plane_test.sh [pytest option]...
# It needs root, for a network of its own, in which nothing but this machine is reached. The first time it builds what it needs into a
# cache outside of the tree, which takes half an hour of CPU.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh
source scripts/go.sh

[[ $EUID -eq 0 ]] || die "make test-control-plane makes a network of its own: run it as root"
scripts/install.sh build run test deploy control_plane
programs=(helm kubectl kube-apiserver envoy-gateway pilot-discovery)
scripts/install_go_programs.sh "${programs[@]}"
scripts/build.sh release extproc_command examples echo_upstream

for program in "${programs[@]}"; do
  variable=${program//-/_}
  path=$(scripts/install_go_programs.sh --path "$program")
  export "${variable^^}=$path"
done
ENVOY_GATEWAY_MODULE=$(scripts/install_go_programs.sh --module envoy-gateway)
ISTIO_MODULE=$(scripts/install_go_programs.sh --module pilot-discovery)
ENVOY=$(scripts/envoy_path.sh)
export ENVOY_GATEWAY_MODULE ISTIO_MODULE ENVOY
export SCHEMAS="$PWD/build/schemas" EXTPROC_BUILD_DIR="$PWD/build/release"

results="$PWD/build/control_plane"
mkdir -p "$results"
printf 'nameserver 127.0.0.1\noptions timeout:1\n' >"$results/resolv.conf"
started=$SECONDS
# Addresses of pods and of the upstream: an API server takes no endpoints in 127.0.0.0/8.
# shellcheck disable=SC2016
unshare --net --mount --propagation private bash -euo pipefail -c '
  ip link set lo up
  ip address add 10.77.0.1/16 dev lo
  mount --bind "$1" "$(readlink -f /etc/resolv.conf)"
  shift
  exec "$@"
' bash "$results/resolv.conf" "$venv_dir/bin/python" -m pytest tests/control_plane -ra -v -o cache_dir="$results/cache" \
  --junitxml="$results/pytest.xml" --basetemp="$results/logs" "$@" ||
  die "control plane tests failed (see above); logs are in build/control_plane/logs; one alone: scripts/control_plane_test.sh -k NAME"
note "control planes: $(grep -oE '\btests="[0-9]+"' "$results/pytest.xml" | head -n 1 | grep -oE '[0-9]+') tests passed in $((SECONDS - started)) s" \
  "with $(basename "$KUBE_APISERVER"), $(basename "$ENVOY_GATEWAY"), $(basename "$PILOT_DISCOVERY"), Envoy $("$ENVOY" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)"
