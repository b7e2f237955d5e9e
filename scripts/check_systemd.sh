#!/usr/bin/env bash
# The units of deploy/systemd, as systemd itself reads them: nothing to complain of, and exposed by at most 1.5 of 10. Then the release
# build's command, which has to be there, is started by systemd's own tool on sockets that it makes, asked, and ended.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/children.sh

most_exposed=15 # in tenths
extproc="$PWD/build/release/extproc"
[[ -x "$extproc" ]] || die "$extproc is not there: scripts/build.sh release extproc_command"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The units with the command of this build, whose path is to be there.
units="$folder/units"
mkdir -p "$units"/extproc@{plain,tls}.service.d "$units/extproc@tls.socket.d"
for unit in service socket; do
  sed "s#/usr/bin/extproc#$extproc#" "deploy/systemd/extproc@.$unit" >"$units/extproc@.$unit"
done
sed "s#/usr/bin/extproc#$extproc#" deploy/systemd/tls.conf >"$units/extproc@tls.service.d/tls.conf"
cp deploy/systemd/tcp.conf "$units/extproc@tls.socket.d/"
for instance in plain tls; do
  output=$(SYSTEMD_UNIT_PATH="$units:" systemd-analyze verify --man=no \
    "$units/extproc@$instance.service" "$units/extproc@$instance.socket" 2>&1) && [[ -z "$output" ]] || {
    printf '%s\n' "$output" >&2
    die "systemd-analyze verify finds something in deploy/systemd (see above)"
  }
done

cp "deploy/systemd/extproc@.service" "$folder/extproc@.service"
systemd-analyze security --no-pager --offline=true --threshold="$most_exposed" "$folder/extproc@.service" >"$folder/security" || {
  cat "$folder/security" >&2
  die "deploy/systemd/extproc@.service is exposed by more than $most_exposed tenths (see above)"
}
exposed=$(grep -oE 'exposure level.*: [0-9.]+' "$folder/security" | grep -oE '[0-9.]+$')

# systemd's own side of socket activation.
logs="$folder"
trap 'stop_children; rm -rf "$folder"' EXIT
socket="$folder/extproc.sock"
start_child activated systemd-socket-activate --listen="$socket" --fdname=web "$extproc" serve --logging
for _ in {1..100}; do [[ -S "$socket" ]] && break || sleep 0.1; done
# Which starts it, and whose connection waits meanwhile.
answer=$("$extproc" health "unix:$socket" --timeout 10 2>&1) || {
  cat "$folder/activated.log" >&2
  die "a command that systemd-socket-activate started is not healthy (see above): $answer"
}
stop_children
grep -q "listening on unix:$socket" "$folder/activated.log" || die "it did not listen on the socket that it was given"

note "systemd $(systemctl --version | awk 'NR == 1 { print $2 }') takes the units; exposure $exposed of 10; a socket that it made was served"
