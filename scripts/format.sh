#!/usr/bin/env bash
# Formats the C++ sources; with --check it only reports what is not formatted.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.cc' '*.h')
if [[ "${1:-}" == --check ]]; then
  clang-format-16 --dry-run -Werror "${sources[@]}" || die "some sources are not formatted (see above): run 'make format'"
else
  clang-format-16 -i "${sources[@]}"
fi
note "${#sources[@]} sources are formatted"
