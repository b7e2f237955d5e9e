#!/usr/bin/env bash
# Installs what reads deploy/chart: helm, and Kubernetes' schemas.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh

venv_install scripts/requirements-deploy.txt
scripts/install_go_programs.sh helm
