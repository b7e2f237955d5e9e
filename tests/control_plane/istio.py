"""Istio's pilot, which reads from the API server, and a plain Envoy as its gateway."""

import os

import yaml
from cluster import Cluster
from scenario import statistics

from harness import http, paths
from harness.processes import Launcher, Process

SYSTEM = "istio-system"
ADDRESS = "10.77.3.1"
LABELS = {"istio": "ingressgateway", "app": "gateway"}
XDS, ADMIN = 15010, 15000
START_TIMEOUT = 60
# What only Istio's own Envoy has.
MESH = {"enableAutoMtls": False, "rootNamespace": SYSTEM, "accessLogFile": "/dev/stdout"}
ENVIRONMENT = {
    "POD_NAMESPACE": SYSTEM, "POD_NAME": "istiod", "CLUSTER_ID": "Kubernetes", "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "INJECTION_WEBHOOK_CONFIG_NAME": "", "VALIDATION_WEBHOOK_CONFIG_NAME": "",
}  # fmt: skip


class Istio:
    def __init__(self, launcher: Launcher, cluster: Cluster):
        folder = launcher.folder / "istio"
        folder.mkdir()
        mesh = folder / "mesh.yaml"
        mesh.write_text(yaml.safe_dump(MESH))
        command = [
            os.environ["PILOT_DISCOVERY"],
            "discovery",
            "--kubeconfig",
            cluster.kubeconfig,
            "--meshConfig",
            mesh,
            "--httpAddr",
            "127.0.0.1:15080",
        ]
        environment = {**ENVIRONMENT, "ROOT_CA_DIR": str(folder)}
        self.pilot: Process = launcher.start("pilot", command, env=environment, cwd=folder)
        self.pilot.wait_until_open(XDS)
        self.pilot.wait_for(lambda: http.request(15080, "GET", "/ready").status == 200, "pilot to be ready", START_TIMEOUT)
        bootstrap = folder / "envoy.yaml"
        bootstrap.write_text(yaml.safe_dump(_bootstrap()))
        self.envoy: Process = launcher.start("envoy", [paths.envoy(), "-c", bootstrap, "--disable-hot-restart", "--concurrency", 2])

    def statistics(self, pattern: str) -> dict[str, int]:
        return statistics(ADMIN, pattern)

    def check_alive(self) -> None:
        self.pilot.check_alive()
        self.envoy.check_alive()


def _bootstrap() -> dict:
    ads = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "30s"}
    http2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}},
    }}  # fmt: skip
    return {
        "node": {
            "id": f"router~{ADDRESS}~gateway.{SYSTEM}~{SYSTEM}.svc.cluster.local", "cluster": f"gateway.{SYSTEM}",
            "metadata": {"LABELS": LABELS, "NAMESPACE": SYSTEM, "CLUSTER_ID": "Kubernetes", "INSTANCE_IPS": ADDRESS, "NAME": "gateway"},
        },
        "admin": {"address": _socket("127.0.0.1", ADMIN)},
        "dynamic_resources": {
            "ads_config": {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [{"envoy_grpc": {"cluster_name": "pilot"}}]},
            "lds_config": ads, "cds_config": ads,
        },
        "static_resources": {"clusters": [{
            "name": "pilot", "type": "STATIC", "connect_timeout": "1s", "typed_extension_protocol_options": http2,
            "load_assignment": {"cluster_name": "pilot", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _socket("127.0.0.1", XDS)}}]}]},
        }]},
    }  # fmt: skip


def _socket(address: str, port: int) -> dict:
    return {"socket_address": {"address": address, "port_value": port}}


def routes(upstream: str) -> list[dict]:
    """The gateway as a cluster would have it, and a route to the upstream."""

    def slice_of(name: str, namespace: str, address: str, port: int) -> dict:
        return {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}], "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        }  # fmt: skip

    def service(name: str, namespace: str, port: int, selector: dict) -> dict:
        return {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": selector, "ports": [{"name": "http", "port": port}]},
        }  # fmt: skip

    return [
        service("gateway", SYSTEM, 8080, LABELS),
        slice_of("gateway", SYSTEM, ADDRESS, 8080),
        service("echo", "default", 8081, {"app": "echo"}),
        slice_of("echo", "default", upstream, 8081),
        {
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "gateway", "namespace": SYSTEM},
            "spec": {"selector": LABELS, "servers": [{"port": {"number": 8080, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]},
        },
        {
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "echo", "namespace": "default"},
            "spec": {
                "hosts": ["*"], "gateways": [f"{SYSTEM}/gateway"],
                "http": [{"route": [{"destination": {"host": "echo.default.svc.cluster.local", "port": {"number": 8081}}}]}],
            },
        },
        # Of Istio's own Envoy.
        {
            "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "plain-envoy", "namespace": SYSTEM},
            "spec": {"configPatches": [{
                "applyTo": "HTTP_FILTER", "patch": {"operation": "REMOVE"},
                "match": {"context": "GATEWAY", "listener": {"filterChain": {"filter": {
                    "name": "envoy.filters.network.http_connection_manager", "subFilter": {"name": "istio.alpn"},
                }}}},
            }]},
        },
    ]  # fmt: skip
