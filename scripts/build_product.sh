#!/usr/bin/env bash
# Builds a release of what a user runs, without the tests: the command, the examples, the echo upstream.
set -euo pipefail
exec "$(dirname "$0")/build.sh" release extproc_command examples echo_upstream
