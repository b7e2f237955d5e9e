#!/usr/bin/env bash
# Builds the fuzz targets (preset asan) and runs each for a while: fuzz.sh [seconds for each, 60]. Each starts from its corpus in
# tests/fuzz/corpus; what it finds new stays in build/fuzz.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

seconds=${1:-60}

scripts/install.sh build clang
scripts/build.sh asan tests/fuzz/all
mapfile -t targets < <(find build/asan/tests/fuzz -maxdepth 1 -type f -name 'fuzz_*' -executable)
[[ ${#targets[@]} -gt 0 ]] || die "the preset asan built no target named fuzz_*: see tests/fuzz/CMakeLists.txt"

run_target() {
  local target=$1 name=${1##*/}
  local found="build/fuzz/found/$name"
  mkdir -p "$found/corpus" "$found/crashes"
  note "fuzzing $name for $seconds s"
  quietly "$target" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 \
    -artifact_prefix="$found/crashes/" "$found/corpus" "tests/fuzz/corpus/$name" ||
    die "$name found something (see above); again: $target $found/crashes/<file>"
}

# As many at once as there are cores.
running=0
for target in "${targets[@]}"; do
  if ((running >= $(nproc))); then
    wait -n || exit 1
    running=$((running - 1))
  fi
  run_target "$target" &
  running=$((running + 1))
done
while ((running > 0)); do
  wait -n || exit 1
  running=$((running - 1))
done
