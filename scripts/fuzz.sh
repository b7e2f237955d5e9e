#!/usr/bin/env bash
# Builds the fuzz targets (preset asan) and runs each for a while: fuzz.sh [seconds for each, 60 [seed]]. Each starts from its
# corpus in tests/fuzz/corpus; what it finds new stays in build/fuzz. With a seed it tries the same inputs in the same order each time, as
# far as it comes: for the gate, which is to fail by what has changed.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

seconds=${1:-60}
seed=${2:-0} # 0: another each time

scripts/install.sh build clang
scripts/build.sh asan tests/fuzz/all
mapfile -t targets < <(find build/asan/tests/fuzz -maxdepth 1 -type f -name 'fuzz_*' -executable)
[[ ${#targets[@]} -gt 0 ]] || die "the preset asan built no target named fuzz_*: see tests/fuzz/CMakeLists.txt"

# What the target printed is kept, and its end shown where it found something.
run_target() {
  local target=$1 name=${1##*/}
  local found="build/fuzz/found/$name"
  # What was found before would change the order.
  if ((seed != 0)); then
    found="build/fuzz/seeded/$name"
    rm -rf "build/fuzz/seeded/${name:?}"
  fi
  mkdir -p "$found/corpus" "$found/crashes"
  note "fuzzing $name for $seconds s"
  "$target" -max_total_time="$seconds" -seed="$seed" -rss_limit_mb=1024 -timeout=10 \
    -artifact_prefix="$found/crashes/" "$found/corpus" "tests/fuzz/corpus/$name" >"$found/log" 2>&1 && return
  tail -n 60 "$found/log" >&2
  die "$name found something (see above, whole: $found/log); again: $target $found/crashes/<file>"
}

# As many at once as there are cores. The others are waited for where one fails: none of them writes behind its report.
running=0 failed=0
wait_for_one() {
  wait -n || failed=1
  running=$((running - 1))
}
for target in "${targets[@]}"; do
  if ((running >= $(nproc))); then wait_for_one; fi
  ((!failed)) || break
  run_target "$target" &
  running=$((running + 1))
done
while ((running > 0)); do wait_for_one; done
exit $failed
