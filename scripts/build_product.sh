#!/usr/bin/env bash
# Builds a release of all that is used or installed, without the tests.
set -euo pipefail
exec "$(dirname "$0")/build.sh" release extproc_command extproc_testing extproc_testing_inside examples echo_upstream
