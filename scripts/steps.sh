# Steps of a long run: each prints its name, how it ended, and what it took. Sourced after lib.sh.
# shellcheck shell=bash

step_rows=()

# User and system seconds of the script and of all children that it has waited for, theirs included.
cpu_seconds() {
  # Behind the name, which may have spaces: utime, stime, cutime, cstime are 12th to 15th. The times builtin would tell of the
  # subshell of a command substitution.
  sed 's/.*) //' "/proc/$$/stat" |
    awk -v ticks="$(getconf CLK_TCK)" '{ printf "%d\n", ($12 + $13 + $14 + $15) / ticks }'
}

# step <title> <command>...  Fails where the command does, which ends a run that does not look at it.
step() {
  local title=$1 started=$SECONDS cpu_before
  shift
  cpu_before=$(cpu_seconds)
  printf '\n######## %s\n' "$title"
  "$@" || {
    printf '######## %s: FAILED after %d s; to see it again: %s\n' "$title" $((SECONDS - started)) "$*" >&2
    return 1
  }
  note_step "$title" $((SECONDS - started)) $(($(cpu_seconds) - cpu_before))
}

# note_step <title> <wall seconds> <CPU seconds> [how it ended, passed]
note_step() {
  printf '######## %s: %s in %d s, %d CPU s\n' "$1" "${4:-passed}" "$2" "$3"
  step_rows+=("$(printf '%-90s %5d s %6d CPU s' "$1" "$2" "$3")${4:+  ($4)}")
}

# print_steps [headline]
print_steps() {
  printf '\n######## %s\n' "${1:-everything passed}"
  printf '%s\n' "${step_rows[@]}"
  printf '%-90s %5d s %6d CPU s\n' "in all" "$SECONDS" "$(cpu_seconds)"
}
