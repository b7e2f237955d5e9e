# What the scripts share. Sourced, never run; it puts the caller into the project's root.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Folders of what the scripts install for themselves.
# shellcheck disable=SC2034
venv_dir="$PWD/build/venv" go_bin_dir="$PWD/build/go/bin"

# What ccache needs to know precompiled headers by; and that the same is compiled in every locale, since ctest has one of its own.
export CCACHE_SLOPPINESS=pch_defines,time_macros,locale
# GCC reads a header a second time whose text is not that which was precompiled, be it by a comment.
export CCACHE_COMMENTS=1

note() { printf '==> %s\n' "$*"; }

# A line that says what went wrong and what to do, then the end.
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# "1.2.0" is at least "1.2".
version_at_least() { [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]; }

# Runs a command quietly; its output is shown only when it fails.
quietly() {
  local output
  output=$("$@" 2>&1) || {
    printf '%s\n' "$output" >&2
    return 1
  }
}
