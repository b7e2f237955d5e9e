# Child processes that end with the script, and the script with them. Sourced after lib.sh; the caller sets $logs.
# shellcheck shell=bash disable=SC2154

declare -A child_names=()  # by process id
stop_seconds=10

# start_child <name> <command>...  Its output goes to $logs/<name>.log. It gets a session of its own, so that Ctrl-C reaches
# this script alone, which then stops the children in order; the kernel stops them if this script is killed.
start_child() {
  local name=$1
  setsid setpriv --pdeathsig TERM "${@:2}" >"$logs/$name.log" 2>&1 </dev/null &
  child_names[$!]=$name
}

# Stops the last started first: Envoy before the processors, so that no request fails on the way.
stop_children() {
  local pid deadline=$((SECONDS + stop_seconds))
  for pid in $(printf '%s\n' "${!child_names[@]}" | sort -rn); do
    kill -TERM "$pid" 2>/dev/null || true
  done
  for pid in "${!child_names[@]}"; do
    while kill -0 "$pid" 2>/dev/null && ((SECONDS <= deadline)); do sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null && note "${child_names[$pid]} did not end within $stop_seconds s and was killed"
    wait "$pid" 2>/dev/null || true
  done
  child_names=()
}

stop_children_at_exit() {
  trap 'trap "" INT TERM HUP; stop_children' EXIT
  trap 'printf "\n"; note "stopping"; exit 0' INT TERM HUP
}

report_ended_child() {
  local pid=$1 status=$2 name=${child_names[$1]}
  unset "child_names[$pid]"
  tail -n 20 "$logs/$name.log" | sed 's/^/    /' >&2
  die "$name ended by itself with status $status; above is the end of $logs/$name.log"
}

fail_if_a_child_ended() {
  local pid status
  for pid in "${!child_names[@]}"; do
    kill -0 "$pid" 2>/dev/null && continue
    status=0
    wait "$pid" || status=$?
    report_ended_child "$pid" "$status"
  done
}

wait_for_a_child_to_end() {
  local ended status=0
  # Bash reports a child that was killed by itself; ours names it.
  wait -n -p ended "${!child_names[@]}" 2>/dev/null || status=$?
  report_ended_child "$ended" "$status"
}
