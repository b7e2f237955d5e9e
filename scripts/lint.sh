#!/usr/bin/env bash
# Checks the format, then runs clang-tidy over the library, the command and the examples: lint.sh [--changed]. With --changed it
# reads only the sources that changed since the commit in .ci/tidy_base, and those that include them. When it has read all and found
# nothing, .ci/tidy_base names the commit.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh build lint
scripts/format.sh --check

note "configuring the preset lint"
quietly cmake --preset lint || die "CMake could not configure (see above): run 'make install'"
# Who commits meanwhile is not read.
commit=$(git rev-parse HEAD)
changes=$(git status --porcelain -- . ':!.ci/tidy_base')
sources=$(python3 scripts/tidy_sources.py "$@") || die "the sources to read could not be listed (see above)"
count=$(wc -w <<<"$sources")
if ((count == 0)); then
  note "clang-tidy: no source changed since $(<.ci/tidy_base)"
  exit
fi
note "clang-tidy reads $count sources"
printf '%s\n' "$sources" | xargs -P "$(nproc)" -n 1 scripts/tidy_one.sh ||
  die "clang-tidy found something (see above)"
note "clang-tidy found nothing"

(($# == 0)) || exit 0
if [[ -n "$changes" || "$(git rev-parse HEAD)" != "$commit" ]] || ! git diff --quiet HEAD -- . ':!.ci/tidy_base'; then
  note "commit, and run it again to move .ci/tidy_base"
else
  printf '%s\n' "$commit" >.ci/tidy_base
  note ".ci/tidy_base names $(<.ci/tidy_base): commit it"
fi
