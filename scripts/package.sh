#!/usr/bin/env bash
# Makes Debian packages (extproc, libextproc-dev, extproc-doc) and a .tar.gz in build/packages.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

files=build/release/package

# man_page <name> <words of the command> <what it is for>, from what --help says.
man_page() {
  local page="$files/man1/$1.1" date
  # Of the sources, so that the same makes the same.
  date=$(LC_ALL=C date --utc --date="@$(git log -1 --format=%ct 2>/dev/null || date +%s)" +'%B %Y')
  quietly help2man --no-info --no-discard-stderr --name "$3" --version-string "$version" --output "$page" "build/release/$2" ||
    die "help2man could not make a manual page of $2 (see above)"
  # Its title and its date would be the tool's: the path of a build, and today.
  sed -i -E "1,5s/^\.TH .*/.TH ${1^^} \"1\" \"$date\" \"extproc $version\" \"User Commands\"/; s#^extproc (\w+) (\\\\- )#extproc-\1 \2#" "$page"
  gzip --best --no-name --force "$page"
}

scripts/install.sh build package debian
scripts/build.sh release extproc_installed
note "packaging"
rm -rf "$files/man1" build/packages
mkdir -p "$files/man1"
version=$(build/release/extproc --version | grep -oE '[0-9.]+' | head -n 1)
man_page extproc extproc "serves Envoy External Processors"
man_page extproc-serve "extproc serve" "serve processors to Envoy"
man_page extproc-config "extproc config" "write Envoy's configuration for processors"
man_page extproc-check "extproc check" "tell what in Envoy's configuration would bite"
man_page extproc-dev "extproc dev" "run Envoy with processors"
man_page extproc-health "extproc health" "ask a server for its health"
gzip --best --no-name --keep --force "$files/changelog.Debian"
quietly cpack --config build/release/CPackConfig.cmake -G "DEB;TGZ" -B build/packages ||
  die "cpack failed (see above)"
find build/packages -maxdepth 1 -type f -printf '%p\n' | sort
