#!/usr/bin/env bash
# Builds Go programs into a cache outside of the tree, unless they are there: install_go_programs.sh NAME...  With --path NAME it
# prints where that one is, with --module NAME where its module's files are. The cache is ${XDG_CACHE_HOME:-$HOME/.cache}/extproc.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/venv.sh
source scripts/go.sh

requirements=scripts/requirements-go-programs.txt
cache="${XDG_CACHE_HOME:-$HOME/.cache}/extproc"
names=$(awk '!/^#/ { print $1 }' "$requirements" | paste -sd ' ')

# Sets what the line of a program says, and where it is.
look_up() {
  read -r _ module version hash package < <(grep "^$1 " "$requirements") || die "no such program: $1; there are: $names"
  program="$cache/bin/$1-$version"
}

# k8s.io/kubernetes replaces its libraries by folders that are not in its module; each is a module of its own, too.
module_file() {
  local file="$cache/build/$1.mod"
  mkdir -p "$cache/build"
  sed -E "s#=> \./staging/src/(k8s\.io/.*)#=> \1 ${version/v1./v0.}#" "$2/go.mod" >"$file"
  cp "$2/go.sum" "$cache/build/$1.sum"
  chmod u+w "$cache/build/$1.sum"
  printf '%s\n' "$file"
}

build() {
  local name=$1 folder started=$SECONDS flags=-s options=()
  look_up "$name"
  [[ ! -x "$program" ]] || return 0
  mkdir -p "$cache/bin"
  note "$name $version is built once, into $cache: that takes minutes, and the network"
  folder=$(module_folder "$module" "$version" "$hash")
  if [[ $module == k8s.io/kubernetes ]]; then
    options=(-mod=mod "-modfile=$(module_file "$name" "$folder")")
    # Charts ask a server for its version.
    flags+=" -X k8s.io/component-base/version.gitVersion=$version -X k8s.io/component-base/version.gitMajor=1"
    flags+=" -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$version")"
  fi
  # Who ends it meanwhile leaves no program behind.
  (cd "$folder" && GOWORK=off CGO_ENABLED=0 "$go" build -trimpath -ldflags="$flags" "${options[@]}" -o "$program.part" "$package") ||
    die "$name could not be built (see above): check the network or GOPROXY, then run this again"
  mv "$program.part" "$program"
  note "$name $version: $(($(stat -c %s "$program") / 1000000)) MB, built in $((SECONDS - started)) s"
}

if [[ ${1:-} == --path ]]; then
  look_up "${2:?usage: install_go_programs.sh --path NAME}"
  [[ -x "$program" ]] || die "$2 $version is not there: scripts/install_go_programs.sh $2"
  printf '%s\n' "$program"
  exit
fi

# The least that any of them needs.
least_go=1.26.7
export GOTOOLCHAIN=local GOPATH="$cache/go" GOFLAGS="-modcacherw -buildvcs=false"
if [[ ${1:-} == --module ]]; then
  look_up "${2:?usage: install_go_programs.sh --module NAME}"
  find_go "$least_go" >&2
  module_folder "$module" "$version" "$hash"
  exit
fi

missing=()
for name in "$@"; do
  look_up "$name"
  [[ -x "$program" ]] || missing+=("$name")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

find_go "$least_go"
for name in "${missing[@]}"; do build "$name"; done
