# Who listens on a TCP port, read from /proc, so that it works without ss or lsof. Sourced after lib.sh.
# shellcheck shell=bash

# The socket inode of the listener on a port; nothing when the port is free.
listener_inode() {
  local hex
  printf -v hex '%04X' "$1"
  # Fields: local address:port, state (0A is listening), inode.
  awk -v port=":$hex\$" '$2 ~ port && $4 == "0A" { print $10; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# "envoy (process 123)" for a socket inode, as far as the caller may see it.
inode_owner() {
  local link pid
  link=$(find /proc/[0-9]*/fd -lname "socket:\[$1\]" -print -quit 2>/dev/null) || true
  [[ -n "$link" ]] || return 0
  pid=${link#/proc/}
  pid=${pid%%/*}
  printf '%s (process %s)' "$(cat "/proc/$pid/comm")" "$pid"
}

# Ends the script when a port is taken: require_free_port <port> <variable that changes it>
require_free_port() {
  local port=$1 variable=$2 inode owner
  inode=$(listener_inode "$port")
  [[ -n "$inode" ]] || return 0
  owner=$(inode_owner "$inode")
  die "port $port is in use by ${owner:-a process of another user}: stop it, or choose another port with $variable=<port> make up"
}

