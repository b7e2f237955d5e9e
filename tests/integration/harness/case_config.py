"""The configuration of an Envoy that serves all cases, each on a listener of its own."""

from pathlib import Path

from harness import case_inside
from harness.case_servers import socket_of
from harness.envoy_cases import Case
from harness.envoy_config import _EXT_PROC, _HCM, _HTTP_OPTIONS, _ROUTER, _TYPES

CASE_HEADER = "x-envoy-case"
_EXT_PROC_NAME = "envoy.filters.http.ext_proc"
_PER_ROUTE = _TYPES + "extensions.filters.http.ext_proc.v3.ExtProcPerRoute"


def bootstrap(cases: list[Case], folder: Path, admin_port: int, inside: bool = False) -> dict:
    """Everything is on Unix domain sockets in the folder: `upstream`, `processor`, one for each case's number, and those of
    case_servers. `inside`: processors run inside Envoy."""
    libraries = [] if inside else [(f"library_{number}", socket_of(folder, number)) for number, case in enumerate(cases) if case.library]
    # A connection that Envoy closes must be no other case's.
    liars = [(_upstream(number, case), folder / "upstream") for number, case in enumerate(cases) if case.upstream_lies]
    clusters = [("upstream", folder / "upstream"), ("processor", folder / "processor"), *libraries, *liars]
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
        "static_resources": {
            "listeners": [_listener(number, case, folder, inside) for number, case in enumerate(cases)],
            "clusters": [_cluster(name, socket) for name, socket in clusters],
        },
    }


def _upstream(number: int, case: Case) -> str:
    return f"upstream_{number}" if case.upstream_lies else "upstream"


def _pipe(path: Path) -> dict:
    return {"pipe": {"path": str(path)}}


def _cluster(name: str, socket: Path) -> dict:
    limit = {f"max_{what}": 100_000 for what in ("connections", "pending_requests", "requests")}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _pipe(socket)}}]}],
        },
        "circuit_breakers": {"thresholds": [limit]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP_OPTIONS,
                "explicit_http_config": {"http2_protocol_options": {"allow_connect": True}},
            }
        },
    }


def _service(number: int, case: Case, configured: dict) -> dict:
    """The case's grpc_service, with what gets it to its processor."""
    metadata = [{"key": CASE_HEADER, "value": case.name}, *configured.get("initial_metadata", [])]
    cluster = f"library_{number}" if case.library else "processor"
    return {"envoy_grpc": {"cluster_name": cluster}, **configured, "initial_metadata": metadata}


def _ext_proc(number: int, case: Case) -> dict:
    configured = case.filter
    service = _service(number, case, configured.pop("grpc_service", {}))
    return {"name": _EXT_PROC_NAME, "typed_config": {"@type": _EXT_PROC, "grpc_service": service, **configured}}


def _per_route(number: int, case: Case) -> list[dict]:
    """What is configured for all routes, for the virtual host, and for the route."""
    typed = []
    for message in case.per_route:
        overrides = message.get("overrides", {})
        if "grpc_service" in overrides:
            service = _service(number, case, overrides["grpc_service"])
            message = {"overrides": {**overrides, "grpc_service": service}}
        typed.append({"typed_per_filter_config": {_EXT_PROC_NAME: {"@type": _PER_ROUTE, **message}}})
    return [{}] * (3 - len(typed)) + typed


def _metadata(case: Case) -> list[dict]:
    metadata = case.data.get("dynamic_metadata")
    if not metadata:
        return []
    return [
        {
            "name": "metadata",
            "typed_config": {
                "@type": _TYPES + "extensions.filters.http.set_metadata.v3.Config",
                "metadata": [
                    {"metadata_namespace": name, "value": {key: str(value) for key, value in fields.items()}}
                    for name, fields in metadata.items()
                ],
            },
        }
    ]


def _filter(number: int, case: Case, inside: bool) -> dict:
    return case_inside.filter_of(case).to_json() if inside and case.library else _ext_proc(number, case)


def _listener(number: int, case: Case, folder: Path, inside: bool) -> dict:
    limit = case.data.get("buffer_limit")
    for_all, for_host, for_route = _per_route(number, case)
    window = {"initial_stream_window_size": int(limit)} if limit else {}
    upgrades = {"upgrade_configs": [{"upgrade_type": "websocket"}]} if case.is_upgrade else {}
    manager = {
        "@type": _HCM,
        "stat_prefix": f"case_{number}",
        "codec_type": "HTTP2",
        "http2_protocol_options": {**window, "allow_connect": case.is_upgrade},
        **upgrades,
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        # A connection that breaks HTTP is closed at once.
        "delayed_close_timeout": "0s",
        "route_config": {
            **for_all,
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    **for_host,
                    "routes": [
                        {
                            **for_route,
                            "match": {"prefix": "/"},
                            "route": {"cluster": _upstream(number, case), "timeout": "60s"},
                            "request_headers_to_add": [
                                {
                                    "header": {"key": CASE_HEADER, "value": case.name},
                                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                                }
                            ],
                        }
                    ],
                }
            ]
        },
        "http_filters": [
            *_metadata(case),
            _filter(number, case, inside),
            {"name": "router", "typed_config": {"@type": _ROUTER}},
        ],
    }
    return {
        "name": f"case_{number}",
        "address": _pipe(folder / str(number)),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
        **({"per_connection_buffer_limit_bytes": int(limit)} if limit else {}),
    }
