#!/usr/bin/env bash
# The installed command loads a module, serves it, reports it healthy and ends well:
# serve_module.sh <extproc command> <folder of the module> <module.Processor>
set -euo pipefail
command=$1 module_path=$2 service=$3

folder=$(mktemp -d)
socket="$folder/extproc.sock"
"$command" serve --service "$service" --module-path "$module_path" --listen "unix:$socket" &
pid=$!
trap 'kill -KILL "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT

# grpc.health.v1.Health/Check with an empty request; the answer's message is 08 01, SERVING.
health() {
  printf '\0\0\0\0\0' |
    curl --silent --http2-prior-knowledge --unix-socket "$socket" --data-binary @- \
      -H 'content-type: application/grpc' -H 'te: trailers' http://localhost/grpc.health.v1.Health/Check |
    od -An -tx1 | tr -d ' \n'
}

for _ in $(seq 100); do
  kill -0 "$pid" 2>/dev/null || { echo "the command ended by itself" >&2; exit 1; }
  [[ "$(health || true)" == 00000000020801 ]] && healthy=yes && break
  sleep 0.1
done
[[ -n "${healthy:-}" ]] || { echo "$service is not healthy after 10 s" >&2; exit 1; }

kill -TERM "$pid"
wait "$pid" || { echo "the command ended with status $? upon SIGTERM" >&2; exit 1; }
echo "$service was loaded and healthy, and ended upon SIGTERM"
