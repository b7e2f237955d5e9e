#!/bin/bash
# Puts programs and modules into a folder that becomes an image, with the shared libraries that they need, and says which Debian
# packages those are of: rootfs.sh FOLDER FILE...  A FILE is put where it is; with ":PATH" behind it, at PATH.
# The packages are in var/lib/dpkg/status.d, as scanners of images read it.
set -euo pipefail

root=$1
shift

# The package of a file. Debian knows some by their names without /usr.
package_of() {
  dpkg-query --search "$1" 2>/dev/null || dpkg-query --search "${1#/usr}" 2>/dev/null
}

note_package() {
  local owner name
  owner=$(package_of "$1" | head -n 1) || return 0
  name=${owner%%: *}
  mkdir -p "$root/var/lib/dpkg/status.d"
  dpkg-query --status "$name" >"$root/var/lib/dpkg/status.d/${name%%:*}"
  local copyright="/usr/share/doc/${name%%:*}/copyright"
  [[ ! -e "$copyright" ]] || install -D --mode=644 "$(realpath "$copyright")" "$root$copyright"
}

# A file as its own name, which for libraries is that of a link.
put() {
  local from=$1 to
  to="$root$(realpath "$(dirname "$2")" 2>/dev/null || dirname "$2")/$(basename "$2")"
  [[ ! -e "$to" ]] || return 0
  install -D --mode="$(stat --dereference --format=%a "$from")" "$(realpath "$from")" "$to"
  note_package "$(realpath "$from")"
}

for argument in "$@"; do
  file=${argument%%:*}
  put "$file" "${argument#*:}"
  [[ "$(head -c 4 "$file" | tail -c 3)" == ELF ]] || continue
  # "libz.so.1 => /lib/libz.so.1 (0x7f...)", "/lib64/ld-linux-x86-64.so.2 (0x7f...)"
  libraries=$(ldd "$file")
  if grep 'not found' <<<"$libraries" >&2; then exit 1; fi
  for library in $(grep --only-matching '/[^ ]*' <<<"$libraries"); do put "$library" "$library"; done
done
