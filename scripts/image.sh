#!/usr/bin/env bash
# Builds the images of deploy/Dockerfile and examples/Dockerfile without an engine, runs them as an engine would, asks them over gRPC,
# and ends them. Needs root. APT_SOURCES=<file> names what apt is to use in place of the machine's own.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/image_lib.sh
source scripts/children.sh

most_bytes=$((40 << 20))

[[ $EUID -eq 0 ]] || die "make image makes namespaces and chroots: run it as root"
scripts/install.sh image run test
mkdir -p "$image_folder"
logs=$(mktemp -d)
trap 'stop_children; in_buildah rm --all >/dev/null 2>&1 || true; rm -rf "$logs"' EXIT

build() { # build <Dockerfile> <folder> <tag> [option]...
  note "building $3"
  in_buildah bud --isolation chroot --layers --format docker --pull-never --tag "$3" --file "$1" "${@:4}" "$2" >"$image_folder/$3.log" 2>&1 || {
    tail -n 40 "$image_folder/$3.log" >&2
    die "buildah could not build $3 (see above, and build/image/$3.log)"
  }
}

debian_base "$image_folder/base.tar" ca-certificates
if [[ "$(cat "$image_folder/base.imported" 2>/dev/null)" != "$(cat "$image_folder/base.tar.key")" ]] || ! in_buildah inspect extproc-base &>/dev/null; then
  container=$(in_buildah from scratch)
  quietly in_buildah add "$container" "$image_folder/base.tar" /
  quietly in_buildah commit "$container" extproc-base
  cp "$image_folder/base.tar.key" "$image_folder/base.imported"
fi

version=$(sed -nE 's/^project\(extproc VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
options=(--build-arg BASE=localhost/extproc-base --build-arg VERSION="$version" --secret "id=apt-sources,src=$(apt_sources)"
  --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" ${JOBS:+--build-arg JOBS="$JOBS"})
build deploy/Dockerfile . extproc-builder --target builder "${options[@]}"
build deploy/Dockerfile . extproc "${options[@]}"
examples=(--build-arg BUILDER=localhost/extproc-builder --build-arg RUNTIME=localhost/extproc)
build examples/Dockerfile examples extproc-examples "${examples[@]}"
build examples/Dockerfile examples extproc-echo --target echo "${examples[@]}"
build examples/Dockerfile examples extproc-production --target production "${examples[@]}"

# What it is.
root=$(image_root extproc)
bytes=$(du --summarize --bytes "$root" | cut -f 1)
((bytes <= most_bytes)) || die "the image has $bytes bytes, above $most_bytes: $(du -ab "$root" | sort -rn | sed -n '2,8p')"
found=$(find "$root" -name 'sh' -o -name 'bash' -o -name 'dash' -o -name 'busybox' -o -perm /6000 -type f) && [[ -z "$found" ]] ||
  die "the image has a shell, or a program with rights of its own: $found"
grep --recursive --quiet --fixed-strings --file <(grep -hE '^(URIs:|deb )' "$(apt_sources)" | grep -oE 'https?://[^ ]+') "$root" &&
  die "the image has the apt sources in a file"
packages=$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["packages"]))' "$root/usr/share/doc/extproc/sbom.spdx.json")

# start <name> <image> [what run_image takes]...; sets $pid, and $first to process 1 in there
start() {
  start_child "$1" bash -c 'source scripts/lib.sh; source scripts/image_lib.sh; run_image "$@"' run "$(image_root "$2")" "${@:2}"
  pid=$!
  first=$(first_process "$pid" "$2") || { cat "$logs/$1.log" >&2 && die "$1 was not started (see above)"; }
}
within() { nsenter --target "$first" --net "$@"; }

# The image's own check, in its own root, as its user.
health() {
  local image=$1 check environment
  mapfile -t check < <(image_config "$image" 'c["Healthcheck"]["Test"][1:]')
  mapfile -d '' -t environment <"/proc/$first/environ"
  env -i "${environment[@]}" "$(command -v nsenter)" --target "$first" --net --mount --pid --root --setuid=65532 --setgid=65532 -- "${check[@]}" 2>&1
}

wait_for_health() {
  local answer
  for _ in {1..100}; do
    fail_if_a_child_ended
    answer=$(health "$@") && return
    sleep 0.1
  done
  die "not healthy: $answer"
}

ask() { PYTHONPATH=tests/integration within "$venv_dir/bin/python" tests/deploy/ask.py 50051; }

expect() { [[ "$2" == "$3" ]] || die "$1: expected \"$2\", got \"$3\""; }

status_of() { sed -nE "s/^$1:\s*(\S+).*/\1/p" "/proc/$first/status"; }

# Ends as the image says, with status 0. The last thing that is started.
stop() {
  local status=0 started=$EPOCHREALTIME
  kill -s "$(image_config "$1" 'c.get("StopSignal") or "SIGTERM"' | sed s/SIG//)" "$first"
  wait "$pid" || status=$?
  unset "child_names[$pid]"
  expect "$1 ended" 0 "$status"
  stop_ms=$(awk -v from="$started" -v to="$EPOCHREALTIME" 'BEGIN { printf "%d", (to - from) * 1000 }')
}

note "running extproc as uid 65532 on a read-only root"
started=$EPOCHREALTIME
start extproc extproc
wait_for_health extproc
start_ms=$(awk -v from="$started" -v to="$EPOCHREALTIME" 'BEGIN { printf "%d", (to - from) * 1000 }')
expect "its user" 65532 "$(status_of Uid)"
expect "its capabilities" 0000000000000000 "$(status_of CapEff)"
expect "new privileges are off" 1 "$(status_of NoNewPrivs)"
answer=$(nsenter --target "$first" --mount --root -- /usr/bin/extproc serve --log-file /tmp/new -p 0 2>&1 || true)
[[ "$answer" == *"Read-only file system"* ]] || die "the root can be written to: $answer"
expect "who answered" BaseExtProcService "$(ask)"
resident=$(awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$first/status")
stop extproc

note "the same over mutual TLS"
(cd "$logs" && PYTHONPATH="$OLDPWD/tests/integration" "$venv_dir/bin/python" -c '
from pathlib import Path
from harness.certificates import Authority
ca = Authority(Path("."))
server, client = ca.server("DNS:processor.example"), ca.client("DNS:probe.example")
for name, file in {"ca": ca.certificate, "crt": server.certificate, "key": server.key, "probe-crt": client.certificate, "probe-key": client.key}.items():
    Path("tls").mkdir(exist_ok=True)
    copy = Path("tls") / name
    copy.write_bytes(Path(file).read_bytes())
    copy.chmod(0o644)
')
chmod 755 "$logs" "$logs/tls"
tls=(-v "$logs/tls:/tls" -e EXTPROC_HEALTH_TLS_CA=/tls/ca -e EXTPROC_HEALTH_TLS_CERT=/tls/probe-crt -e EXTPROC_HEALTH_TLS_KEY=/tls/probe-key
  -e EXTPROC_HEALTH_TLS_SERVER_NAME=processor.example)
start extproc-tls extproc "${tls[@]}" serve --logging --tls-cert /tls/crt --tls-key /tls/key --tls-client-ca /tls/ca
wait_for_health extproc
stop extproc

note "running what examples/Dockerfile makes of it"
start examples extproc-examples serve --logging --service examples.DigestExtProcService
wait_for_health extproc-examples
expect "who answered" DigestExtProcService "$(ask)"
stop extproc-examples
start production extproc-production serve --logging --service production.CallLog
wait_for_health extproc-production
expect "who answered" CallLog "$(ask)"
stop extproc-production
start echo extproc-echo
for _ in {1..100}; do answer=$(within curl --silent http://127.0.0.1:8081/there) && break || sleep 0.1; done
expect "the echo upstream" /there "$(python3 -c 'import json, sys; print(json.load(sys.stdin)["path"])' <<<"$answer")"
kill -TERM "$first" && wait "$pid" || true
unset "child_names[$pid]"

note "extproc $version: $(awk -v bytes="$bytes" 'BEGIN { printf "%.1f", bytes / 1e6 }') MB of at most $(awk -v bytes="$most_bytes" 'BEGIN { printf "%.1f", bytes / 1e6 }'), $packages packages," \
  "healthy after $start_ms ms, $resident MiB resident, ended in $stop_ms ms with status 0; built and asked: extproc, over mutual TLS, extproc-examples, extproc-production, extproc-echo"
