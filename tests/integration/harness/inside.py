"""Processors inside Envoy: their filter, and an Envoy that has one for each way to set it up."""

from dataclasses import dataclass, field

from harness import http, paths
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Listener, Mode, bootstrap
from harness.lab import SETUPS, STYLES, Setup, with_actions
from harness.processes import Launcher, free_port

_FILTER = "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter"
_PER_ROUTE = _FILTER + "PerRoute"
_STRUCT = "type.googleapis.com/google.protobuf.Struct"
_STRING = "type.googleapis.com/google.protobuf.StringValue"


def environment() -> dict[str, str]:
    """Where Envoy finds the filter."""
    return {"ENVOY_DYNAMIC_MODULES_SEARCH_PATH": str(paths.build_dir())}


def dynamic_module_config(name: str = "extproc_envoy") -> dict:
    return {"name": name, "metrics_namespace": "extproc"}


def filter_config(config: dict | str) -> dict:
    """As an Any: JSON as it is, or a text."""
    return {"@type": _STRING, "value": config} if isinstance(config, str) else {"@type": _STRUCT, "value": config}


@dataclass(frozen=True)
class Inside:
    """A filter of processors, such as "test_processors.Scripted"."""

    processors: tuple[str, ...]
    mode: Mode | None = None
    failure_mode_allow: bool = False
    extra: dict = field(default_factory=dict)
    """More of filter_config."""
    text: str | None = None
    """All of it."""
    name: str = "inside"
    module: str = "extproc_envoy"

    def config(self) -> dict:
        return {
            "processors": [{"name": name} for name in self.processors],
            **({"processing_mode": self.mode.to_json()} if self.mode else {}),
            **({"failure_mode_allow": True} if self.failure_mode_allow else {}),
            **self.extra,
        }

    def to_json(self) -> dict:
        config = {
            "@type": _FILTER,
            "dynamic_module_config": dynamic_module_config(self.module),
            "filter_name": "",
            "filter_config": filter_config(self.config() if self.text is None else self.text),
        }
        return {"name": self.name, "typed_config": config}


def on_route(config: dict, name: str = "inside") -> dict:
    """`typed_per_filter_config` of a route."""
    return {
        name: {
            "@type": _PER_ROUTE,
            "dynamic_module_config": dynamic_module_config(),
            "per_route_config_name": "",
            "filter_config": filter_config(config),
        }
    }


def envoy_with(launcher: Launcher, listeners: list[Listener], upstream_port: int, concurrency: int = 2, level: str = "warning") -> Envoy:
    """An Envoy with these listeners in front of one upstream."""
    admin = free_port()
    clusters = [Cluster("upstream", (upstream_port,), http2=False, trailers=True)]
    return Envoy(launcher, bootstrap(admin, listeners, clusters), admin, concurrency, env=environment(), level=level)


def setups() -> tuple[Setup, ...]:
    """Those of the lab that Envoy's dynamic modules have the means for."""
    return tuple(setup for setup in SETUPS if setup.name not in ("duplex", "impatient"))


class InsideLab:
    """As the lab, with the processors inside Envoy."""

    def __init__(self, launcher: Launcher, upstream_port: int):
        self.ports = {(style, setup.name): free_port() for style in STYLES for setup in setups()}
        listeners = [
            Listener(
                f"{style}_{setup.name}",
                self.ports[style, setup.name],
                (Inside((f"test_processors.{style}",), setup.mode, setup.failure_mode_allow, setup.extra),),
            )
            for style in STYLES
            for setup in setups()
        ]
        self.envoy = envoy_with(launcher, listeners, upstream_port)
        self.log = self.envoy.process.log

    def request(self, style: str, setup: str, method: str = "GET", do: list[str] | None = None, **parts):
        """A request whose x-do headers tell the processor what to do."""
        return http.request(self.ports[style, setup], method, "/lab", **with_actions(do, parts))

    async def request_async(self, style: str, setup: str, method: str = "GET", do: list[str] | None = None, **parts):
        return await http.request_async(self.ports[style, setup], method, "/lab", **with_actions(do, parts))
