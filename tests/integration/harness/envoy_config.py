"""Envoy configurations, as Python objects that become JSON."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from harness import over_tls

_TYPES = "type.googleapis.com/envoy."
_HCM = _TYPES + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_EXT_PROC = _TYPES + "extensions.filters.http.ext_proc.v3.ExternalProcessor"
_ROUTER = _TYPES + "extensions.filters.http.router.v3.Router"
_HTTP_OPTIONS = _TYPES + "extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True)
class Mode:
    """The processing mode of a filter, in Envoy's words."""

    request_header: str = "SEND"
    response_header: str = "SEND"
    request_body: str = "BUFFERED"
    response_body: str = "BUFFERED"
    request_trailer: str = "SKIP"
    response_trailer: str = "SKIP"

    def to_json(self) -> dict:
        return {f"{part}_mode": mode for part, mode in self.__dict__.items()}


@dataclass(frozen=True)
class Cluster:
    """Where something is: TCP ports of the loopback, or Unix domain sockets."""

    name: str
    endpoints: tuple[int | str, ...]
    http2: bool = True
    health_check: dict | None = None
    max_requests: int = 100_000
    trailers: bool = False
    transport_socket: dict | None = None
    one_request: bool = False
    """On each connection."""

    def to_json(self) -> dict:
        protocol = {"http2_protocol_options": {}} if self.http2 else {"http_protocol_options": self._http1()}
        limit = {"max_connections": 100_000, "max_pending_requests": 100_000, "max_requests": self.max_requests}
        return {
            "name": self.name,
            "type": "STATIC",
            "connect_timeout": "5s",
            "load_assignment": {
                "cluster_name": self.name,
                "endpoints": [{"lb_endpoints": [_endpoint(address) for address in self.endpoints]}],
            },
            "circuit_breakers": {"thresholds": [limit]},
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": _HTTP_OPTIONS,
                    "explicit_http_config": protocol,
                    **({"common_http_protocol_options": {"max_requests_per_connection": 1}} if self.one_request else {}),
                }
            },
            **({"health_checks": [self.health_check]} if self.health_check else {}),
            **self._transport(),
        }

    def _transport(self) -> dict:
        if self.transport_socket:
            return {"transport_socket": self.transport_socket}
        is_processor = self.http2 and all(isinstance(address, int) for address in self.endpoints)
        return over_tls.cluster_part() if over_tls.enabled() and is_processor else {}

    def _http1(self) -> dict:
        return {"enable_trailers": self.trailers}


@dataclass(frozen=True)
class Filter:
    """One ext_proc filter."""

    cluster: str
    mode: Mode = Mode()
    failure_mode_allow: bool = False
    message_timeout: str = "10s"
    extra: dict = field(default_factory=dict)

    def to_json(self) -> dict:
        return {
            "name": f"envoy.filters.http.ext_proc.{self.cluster}",
            "typed_config": {
                "@type": _EXT_PROC,
                "grpc_service": {"envoy_grpc": {"cluster_name": self.cluster}},
                "failure_mode_allow": self.failure_mode_allow,
                "message_timeout": self.message_timeout,
                "processing_mode": self.mode.to_json(),
                **self.extra,
            },
        }


@dataclass(frozen=True)
class Listener:
    """A port with filters, in order, in front of the cluster `upstream`."""

    name: str
    port: int
    filters: tuple[Filter, ...]
    upstream: str = "upstream"
    buffer_bytes: int | None = None
    before: tuple[dict, ...] = ()
    """Other filters, in front of those."""
    routes: tuple[dict, ...] = ()
    """In front of the one to `upstream`."""
    access_log: dict | None = None
    tracing: dict | None = None
    """Of its connection manager."""

    def to_json(self) -> dict:
        manager = {
            "@type": _HCM,
            "stat_prefix": self.name,
            "codec_type": "AUTO",
            "stream_idle_timeout": "60s",
            "http_protocol_options": {"enable_trailers": True},
            "route_config": {
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [
                            *self.routes,
                            # With a sanitizer a gibibyte takes about a minute.
                            {"name": "all", "match": {"prefix": "/"}, "route": {"cluster": self.upstream, "timeout": "300s"}},
                        ],
                    }
                ]
            },
            "http_filters": [
                *self.before,
                *(f.to_json() for f in self.filters),
                {"name": "router", "typed_config": {"@type": _ROUTER}},
            ],
            **({"access_log": [self.access_log]} if self.access_log else {}),
            **({"tracing": self.tracing} if self.tracing else {}),
        }
        return {
            "name": self.name,
            "address": _address(self.port),
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
            **({"per_connection_buffer_limit_bytes": self.buffer_bytes} if self.buffer_bytes else {}),
        }


def set_metadata(namespace: str, value: dict | None = None, typed_value: dict | None = None) -> dict:
    """A filter that sets dynamic metadata, from JSON or an Any."""
    entry = {"metadata_namespace": namespace, **({"value": value} if value else {"typed_value": typed_value})}
    config = {"@type": _TYPES + "extensions.filters.http.set_metadata.v3.Config", "metadata": [entry]}
    return {"name": "set_metadata", "typed_config": config}


def json_access_log(path: Path, fields: dict[str, str]) -> dict:
    """A line of JSON for each request."""
    config = {
        "@type": _TYPES + "extensions.access_loggers.file.v3.FileAccessLog",
        "path": str(path),
        "log_format": {"json_format": fields},
    }
    return {"name": "file", "typed_config": config}


def tracing(cluster: str, percent: float, service: str = "envoy") -> dict:
    """Of a connection manager: so many of a hundred requests, by OTLP over HTTP to a cluster."""
    config = {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "http_service": {"http_uri": {"uri": "http://collector/v1/traces", "cluster": cluster, "timeout": "5s"}},
        "service_name": service,
    }
    return {
        "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": config},
        "random_sampling": {"value": percent},
        "spawn_upstream_span": True,
    }


def bootstrap(admin_port: int, listeners: list[Listener], clusters: list[Cluster], runtime: dict | None = None) -> dict:
    """A whole configuration."""
    return {
        "admin": {"address": _address(admin_port)},
        "static_resources": {
            "listeners": [listener.to_json() for listener in listeners],
            "clusters": [cluster.to_json() for cluster in clusters],
        },
        **({"layered_runtime": {"layers": [{"name": "test", "static_layer": runtime}]}} if runtime else {}),
    }


def grpc_health_check(interval: str, service: str = "") -> dict:
    """A gRPC health check that sees a change after one answer."""
    return {
        "timeout": "2s",
        "interval": interval,
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
        "no_traffic_interval": interval,
        "grpc_health_check": {"service_name": service} if service else {},
    }


def with_ports(template: Path, ports: dict[int, int]) -> str:
    """A configuration file with each of its ports replaced; fails on a port that is not named."""

    def replace(match: re.Match) -> str:
        port = int(match.group(2))
        if port not in ports:
            raise AssertionError(f"{template.name} has the port {port}, which this test does not know")
        return f"{match.group(1)}{ports[port]}"

    return re.sub(r"(port_value:\s*)(\d+)", replace, template.read_text())


def _address(endpoint: int | str) -> dict:
    if isinstance(endpoint, int):
        return {"socket_address": {"address": "127.0.0.1", "port_value": endpoint}}
    return {"pipe": {"path": endpoint}}


def _endpoint(address: int | str) -> dict:
    return {"endpoint": {"address": _address(address)}}
