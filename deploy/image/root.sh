#!/bin/bash
# Makes the root of the command's image in a folder: root.sh FOLDER VERSION
set -euo pipefail

root=$1 version=$2

extproc-rootfs "$root" /usr/bin/extproc /etc/ssl/certs/ca-certificates.crt /etc/ssl/openssl.cnf /usr/lib/os-release \
  /usr/share/doc/ca-certificates/copyright
mkdir --parents "$root"/usr/lib/{extproc,ssl} "$root/usr/share/doc/extproc"
mkdir --mode=1777 "$root/tmp"
# As Debian has them.
ln --symbolic usr/lib "$root/lib"
ln --symbolic usr/lib64 "$root/lib64"
ln --symbolic ../usr/lib/os-release "$root/etc/os-release"
ln --symbolic /etc/ssl/openssl.cnf "$root/usr/lib/ssl/openssl.cnf"
# OpenSSL's own name for what it trusts.
ln --symbolic /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
printf '%s\n' root:x:0:0:root:/:/sbin/nologin extproc:x:65532:65532:extproc:/:/sbin/nologin >"$root/etc/passwd"
printf '%s\n' root:x:0: extproc:x:65532: >"$root/etc/group"
"$(dirname "$0")/sbom.sh" "$root" "$version" >"$root/usr/share/doc/extproc/sbom.spdx.json"
