#!/usr/bin/env bash
# Holds the includes of src/ and include/ to the table of scripts/layers.txt; see check_layers.py, which does it.
set -euo pipefail
exec python3 "$(dirname "$0")/check_layers.py" "$@"
