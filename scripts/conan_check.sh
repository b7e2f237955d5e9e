#!/usr/bin/env bash
# The conan recipe without a remote: the system's libraries are its dependencies, and a project of a user is built with what it made.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

folder="$PWD/build/conan"
scripts/install.sh build
mkdir -p "$folder"
requirements=scripts/requirements-conan.txt
if ! cmp --silent "$requirements" "$folder/installed.txt"; then
  [[ -x "$folder/venv/bin/pip" ]] || python3 -m venv "$folder/venv"
  note "installing conan into build/conan"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" ||
    die "pip could not install conan (see above): check the network or pip's index"
  cp "$requirements" "$folder/installed.txt"
fi
export CONAN_HOME="$folder/home"
conan() { quietly "$folder/venv/bin/conan" "$@"; }

version_of() { dpkg-query --show --showformat='${Version}' "$1" | sed -E 's/^[0-9]+://; s/[-+~].*//'; }
cat >"$folder/profile" <<END
[settings]
os=Linux
arch=$(uname -m)
compiler=gcc
compiler.version=$(g++ -dumpversion)
compiler.libcxx=libstdc++11
compiler.cppstd=20
build_type=Release
[platform_requires]
boost/1.81.0
libnghttp2/$(version_of libnghttp2-dev)
protozero/$(version_of libprotozero-dev)
libyaml/$(version_of libyaml-dev)
yaml-cpp/$(version_of libyaml-cpp-dev)
openssl/$(version_of libssl-dev)
[conf]
tools.cmake.cmaketoolchain:generator=Ninja
END

if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1
fi
note "conan create, without a remote"
conan create . --no-remote --profile:all "$folder/profile" || die "conan cannot make the package (see above)"
package=$("$folder/venv/bin/conan" list 'extproc/*:*' --format json 2>/dev/null |
  python3 -c 'import json, sys
versions = json.load(sys.stdin)["Local Cache"]
name, of = next(iter(versions.items()))
print(name + ":" + next(iter(next(iter(of["revisions"].values()))["packages"])))')
prefix=$("$folder/venv/bin/conan" cache path "$package")
rm -rf "$folder/starter"
quietly cmake -S examples/starter -B "$folder/starter" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" &&
  quietly cmake --build "$folder/starter" || die "a user's module does not compile with the conan package (see above)"
note "conan: $package made without a remote, and used"
