#!/usr/bin/env bash
# All checks, without the gate's shortcuts: check_all.sh [part]...  Without a part all of them run, in at most an hour and a half. A
# part that has passed for this very tree is not run again (FORCE=1 runs it all the same). One that fails does not stop the others.
# `check_all.sh --list` tells the parts.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/steps.sh

# Name, command, what it is.
parts=(
  "test|make test|the README's test command: unit tests, consumer projects, real Envoy and real clients, what deploy/ has to read"
  "lint|scripts/lint.sh|the format; clang-tidy over every source"
  "asan|scripts/sanitize.sh asan --all|unit tests with AddressSanitizer and UndefinedBehaviorSanitizer, all walks"
  "tsan|scripts/sanitize.sh tsan --all|unit tests with ThreadSanitizer, those without threads too"
  "budget|scripts/bench_instructions.sh|the instructions of the hot paths"
  "integration-asan|scripts/integration_test.sh --preset asan|integration tests against the server with ASan and UBSan"
  "integration-tsan|scripts/integration_test.sh --preset tsan|integration tests against the server with TSan"
  "integration-tls|scripts/integration_test.sh --tls|the main groups of the integration tests, over mutual TLS"
  "browser|scripts/browser_test.sh|the page of the admin service in Chromium"
  "hostile|make check-hostile|attacks on the server, with thresholds of memory and time"
  "hostile-asan|scripts/hostile_test.sh --preset asan|the same against the server with ASan and UBSan"
  "image|make image|the images of deploy/, built, run, asked and ended"
  "compose|make compose-check|what deploy/compose.yaml says, without an engine"
  "packages|make package-check|the Debian packages in a bare Debian, the archive, and the conan recipe"
  "fuzz|scripts/fuzz.sh 300|each fuzz target for five minutes"
  "parity|env PARITY_SEED=$RANDOM PARITY_CASES=500 scripts/integration_test.sh -k in_envoy_parity|500 random cases of a fresh seed, inside Envoy and behind ext_proc"
  "inside|env EXTPROC_INSIDE_TIMES=9 scripts/integration_test.sh -k in_envoy_lifetimes|28,800 callers that leave, 54 ends and 54 changes of a listener, while handlers inside Envoy wait"
  "releases|scripts/check_envoy_releases.sh|other releases of Envoy take the filter that runs inside it, or say why not"
  "random|scripts/random_cases.sh $RANDOM$RANDOM 2000|2,000 random cases of a fresh seed, by the kit and by Envoy"
)

part() { # part <name>: its line
  local line
  for line in "${parts[@]}"; do
    [[ ${line%%|*} != "$1" ]] || { printf '%s\n' "$line" && return; }
  done
  die "no such part: $1; there are: $(printf '%s ' "${parts[@]%%|*}")"
}

if [[ "${1:-}" == --list ]]; then
  printf '%s\n' "${parts[@]}" | awk -F '|' '{ printf "%-18s %s\n", $1, $3 }'
  exit
fi

# The state of all files, committed or not, but for the one that the part `lint` writes.
tree() {
  local index
  index=$(mktemp)
  cp "$(git rev-parse --git-path index)" "$index"
  GIT_INDEX_FILE=$index git add --all
  GIT_INDEX_FILE=$index git rm --quiet --cached --ignore-unmatch .ci/tidy_base
  GIT_INDEX_FILE=$index git write-tree
  rm -f "$index"
}

git rev-parse --verify --quiet HEAD >/dev/null || die "git cannot read this folder: run it in a clone that is yours"
passed_folder=build/check_all
mkdir -p "$passed_folder"
tree=$(tree)
names=("$@")
[[ ${#names[@]} -gt 0 ]] || names=("${parts[@]%%|*}")
for name in "${names[@]}"; do part "$name" >/dev/null; done

failed=()
for i in "${!names[@]}"; do
  IFS='|' read -r name command what <<<"$(part "${names[i]}")"
  passed="$passed_folder/$name"
  if [[ -z "${FORCE:-}" && -f "$passed" ]] && read -r for_tree wall cpu <"$passed" && [[ $for_tree == "$tree" ]]; then
    note_step "$name ($what)" "$wall" "$cpu" "passed before for this tree"
    continue
  fi
  note "part $((i + 1)) of ${#names[@]}: $name"
  wall_before=$SECONDS cpu_before=$(cpu_seconds)
  # shellcheck disable=SC2086  # a command is words
  step "$name ($what)" $command || {
    failed+=("$name")
    continue
  }
  printf '%s %d %d\n' "$tree" $((SECONDS - wall_before)) $(($(cpu_seconds) - cpu_before)) >"$passed"
done
if [[ ${#failed[@]} -gt 0 ]]; then
  print_steps "what passed"
  die "failed: ${failed[*]} (see above for what each said)"
fi
print_steps

if [[ $# -eq 0 ]]; then
  if [[ "$(tree)" != "$tree" ]]; then
    note "files have changed meanwhile: run it again before you rely on it"
  else
    note "all passed"
  fi
fi
