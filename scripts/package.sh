#!/usr/bin/env bash
# Makes a .deb and a .tar.gz of the library, its headers and the command, in build/packages.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh build package
scripts/build.sh release
note "packaging"
quietly cpack --config build/release/CPackConfig.cmake -G "DEB;TGZ" -B build/packages ||
  die "cpack failed (see above)"
find build/packages -maxdepth 1 -type f -printf '%p\n'
