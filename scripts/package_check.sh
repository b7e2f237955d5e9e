#!/usr/bin/env bash
# The packages as their users have them: lintian, apt in a bare Debian, a project of a user built and served there, and nothing left
# behind; the .tar.gz unpacked elsewhere; and the conan recipe without a network. Needs root.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/image_lib.sh

[[ $EUID -eq 0 ]] || die "make package-check makes a chroot: run it as root"
scripts/install.sh build run
scripts/package.sh

note "lintian"
lintian --fail-on error,warning --suppress-tags-from-file deploy/debian/lintian.txt build/packages/*.deb ||
  die "lintian finds something (see above); what is left so is in deploy/debian/lintian.txt, with why"

note "installing in a bare Debian"
folder="$PWD/build/packages/check"
root="$folder/root"
cleanup() {
  for mounted in proc dev var/cache/apt/archives; do umount "$root/$mounted" 2>/dev/null || true; done
  rm -rf "${folder:?}"
}
trap cleanup EXIT
cleanup
mkdir -p "$root" build/image/apt
debian_base build/image/base.tar ca-certificates
tar --extract --file build/image/base.tar --directory "$root"
mount --bind build/image/apt "$root/var/cache/apt/archives"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir -p "$root/tmp/sources" "$root/tmp/packages"
cp "$(apt_sources)" "$root/tmp/sources/given.sources"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp build/packages/*.deb "$root/tmp/packages"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"

# The package in there: deb extproc
deb() { (cd "$root" && printf '/%s\n' tmp/packages/"$1"_*.deb); }
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$root" "$@"; }
apt() { quietly inside apt-get -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/tmp/sources -o APT::Keep-Downloaded-Packages=true "$@"; }

apt update || die "apt cannot read its sources (see above)"
apt install --yes --no-install-recommends "$(deb extproc)" || die "apt cannot install the command (see above)"
before=$(inside dpkg-query --show --showformat='${Package}\n' | wc -l)
[[ "$(inside extproc --version)" == "extproc $(sed -nE 's/^project\(extproc VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)" ]] ||
  die "the installed command does not say its version"
inside test -e /usr/share/man/man1/extproc-serve.1.gz && inside test -e "/usr/lib/systemd/system/extproc@.service" ||
  die "the command's package has no manual pages, or no units"
inside sh -c '! command -v g++' >/dev/null || die "the command's package brings compilers along"

apt install --yes --no-install-recommends g++ cmake ninja-build pkg-config curl "$(deb libextproc-dev)" "$(deb extproc-doc)" ||
  die "apt cannot install the library (see above)"
note "building and serving a project of a user there"
mkdir -p "$root/tmp/user"
cp -r examples/starter tests/consumers/pkg_config tests/consumers/main.cc tests/consumers/serve_module.sh "$root/tmp/user"
quietly inside sh -ec 'cd /tmp/user/starter && cmake -S . -B build -G Ninja && cmake --build build' || die "a user's module does not compile (see above)"
quietly inside sh -ec 'cd /tmp/user && g++ -std=c++20 main.cc -o main $(pkg-config --cflags --libs --static extproc) && ./main' ||
  die "a user's program does not compile with pkg-config, or fails (see above)"
quietly inside /tmp/user/serve_module.sh extproc /tmp/user/starter/build starter.Starter || die "the module is not served (see above)"
apt purge --yes extproc libextproc-dev extproc-doc || die "the packages cannot be removed (see above)"
left=$(find "$root/usr" "$root/etc" "$root/var/lib" -name '*extproc*' -not -path '*/dpkg/*' -not -path '*/apt/*')
[[ -z "$left" ]] || die "the packages leave something behind: $left"

note "the archive"
mkdir -p "$folder/archive"
tar --extract --file build/packages/extproc-*.tar.gz --directory "$folder/archive" --strip-components=1
quietly cmake -S examples/starter -B "$folder/starter" -G Ninja -DCMAKE_PREFIX_PATH="$folder/archive/usr" &&
  quietly cmake --build "$folder/starter" || die "a user's module does not compile with the archive (see above)"
quietly tests/consumers/serve_module.sh "$folder/archive/usr/bin/extproc" "$folder/starter" starter.Starter ||
  die "the archive's command does not serve (see above)"

scripts/conan_check.sh
note "packages: $(find build/packages -maxdepth 1 -name '*.deb' -printf '%f (%k KiB) ')installed with $before packages of a bare Debian, used and removed; the archive and the conan recipe work"
