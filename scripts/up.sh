#!/usr/bin/env bash
# Builds and starts the whole example: the echo upstream, the six processors, Envoy. Runs until Ctrl-C or SIGTERM, then
# stops all that it started. HTTP_PORT, ADMIN_PORT, ECHO_PORT and PROCESSOR_PORT (the first of six) change the ports.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/ports.sh
source scripts/children.sh

http_port=${HTTP_PORT:-8080}
admin_port=${ADMIN_PORT:-9901}
echo_port=${ECHO_PORT:-8081}
processor_port=${PROCESSOR_PORT:-50051}
# In the order of the filters in deploy/envoy.yaml.
processors=(Trivial Timer Echo Digest Decorated Ctx)
logs=build/up
start_seconds=20

check_ports() {
  local i
  require_free_port "$http_port" HTTP_PORT
  require_free_port "$admin_port" ADMIN_PORT
  require_free_port "$echo_port" ECHO_PORT
  for i in "${!processors[@]}"; do
    require_free_port $((processor_port + i)) PROCESSOR_PORT
  done
}

# deploy/envoy.yaml with the chosen ports.
write_envoy_config() {
  local i script="s/port_value: 8080\b/port_value: $http_port/; s/port_value: 9901\b/port_value: $admin_port/"
  script+="; s/port_value: 8081\b/port_value: $echo_port/"
  for i in "${!processors[@]}"; do
    script+="; s/port_value: $((50051 + i))\b/port_value: $((processor_port + i))/"
  done
  sed "$script" deploy/envoy.yaml >"$logs/envoy.yaml"
}

# The clusters that Envoy doesn't call healthy yet, or "envoy" while it doesn't answer.
unhealthy_clusters() {
  local admin="http://127.0.0.1:$admin_port" clusters
  if [[ "$(curl -s "$admin/ready")" == LIVE ]] && clusters=$(curl -s "$admin/clusters"); then
    sed -n 's/^\([^:]*\)::.*::health_flags::\/.*/\1/p' <<<"$clusters"
  else
    printf 'envoy\n'
  fi
}

wait_until_healthy() {
  local deadline=$((SECONDS + start_seconds)) unhealthy
  while unhealthy=$(unhealthy_clusters) && [[ -n "$unhealthy" ]]; do
    fail_if_a_child_ended
    ((SECONDS <= deadline)) || die "not healthy after $start_seconds s: $(paste -sd ' ' <<<"$unhealthy"); see $logs/*.log"
    sleep 0.2
  done
}

wait_for_child_port() {
  local name=$1 port=$2 deadline=$((SECONDS + start_seconds))
  while [[ -z "$(listener_inode "$port")" ]]; do
    fail_if_a_child_ended
    ((SECONDS <= deadline)) || die "$name does not listen on port $port after $start_seconds s; see $logs/$name.log"
    sleep 0.1
  done
}

check_ports
scripts/install.sh build run
scripts/build_product.sh
check_ports
mkdir -p "$logs"
envoy=$(scripts/envoy_path.sh)
write_envoy_config

stop_children_at_exit
note "starting the echo upstream, ${#processors[@]} processors and Envoy; their logs are in $logs"
start_child echo_upstream ./build/release/echo_upstream --port "$echo_port"
for i in "${!processors[@]}"; do
  start_child "${processors[i]}" ./build/release/extproc serve --logging \
    --service "examples.${processors[i]}ExtProcService" --port $((processor_port + i))
done
wait_for_child_port echo_upstream "$echo_port"
for i in "${!processors[@]}"; do
  wait_for_child_port "${processors[i]}" $((processor_port + i))
done
start_child envoy "$envoy" --config-path "$logs/envoy.yaml" --log-level warning --use-dynamic-base-id
wait_until_healthy

cat <<END

All healthy. In another terminal:

  curl localhost:$http_port/something -D -
  curl localhost:$http_port/something -X PUT -H 'Content-type: application/json' -d '{"hello":"hi"}' -D -

The same without processors: localhost:$http_port/no-ext-procs. Envoy's admin page: http://localhost:$admin_port
Ctrl-C stops everything.
END
wait_for_a_child_to_end
