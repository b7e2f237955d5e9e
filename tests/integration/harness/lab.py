"""One Envoy with a listener for each way to set up a filter, in front of the scripted processors."""

from dataclasses import dataclass, field

from harness import http
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.extproc import Extproc
from harness.processes import Launcher, free_port

STYLES = ("Scripted", "AsyncScripted", "BlockingScripted")
WITH_TRAILERS = Mode(request_trailer="SEND", response_trailer="SEND")
STREAMED = Mode(request_body="STREAMED", response_body="STREAMED", request_trailer="SEND", response_trailer="SEND")
PARTIAL = Mode(request_body="BUFFERED_PARTIAL", response_body="BUFFERED_PARTIAL")
DUPLEX = Mode(
    request_body="FULL_DUPLEX_STREAMED",
    response_body="FULL_DUPLEX_STREAMED",
    request_trailer="SEND",
    response_trailer="SEND",
)
HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")
NOTHING = Mode(request_header="SKIP", response_header="SKIP", request_body="NONE", response_body="NONE")


@dataclass(frozen=True)
class Setup:
    """How a listener's only filter is set up."""

    name: str
    mode: Mode = Mode()
    failure_mode_allow: bool = False
    message_timeout: str = "10s"
    extra: dict = field(default_factory=dict)

    def filter(self, cluster: str) -> Filter:
        return Filter(cluster, self.mode, self.failure_mode_allow, self.message_timeout, self.extra)


SETUPS = (
    Setup("closed", WITH_TRAILERS),
    Setup("open", WITH_TRAILERS, failure_mode_allow=True),
    Setup("buffered"),
    Setup("streamed", STREAMED),
    Setup("partial", PARTIAL),
    Setup("duplex", DUPLEX),
    Setup("headers_only", HEADERS_ONLY),
    Setup("response_only", Mode(request_header="SKIP", request_body="NONE")),
    Setup("nothing", NOTHING),
    Setup("observed", STREAMED, extra={"observability_mode": True}),
    Setup("impatient", message_timeout="0.2s"),
)


class Lab:
    """`request(style, setup, ...)` goes through one filter of that style of processor and that setup."""

    def __init__(self, launcher: Launcher, upstream_port: int):
        # Work for blocking threads that could not end in the filter's time is refused.
        told = ("--message-timeout", "10")
        self.processors = {style: Extproc(launcher, f"test_processors.{style}", told) for style in STYLES}
        self.ports = {(style, setup.name): free_port() for style in STYLES for setup in SETUPS}
        clusters = [Cluster(style, (processor.address,)) for style, processor in self.processors.items()]
        clusters.append(Cluster("upstream", (upstream_port,), http2=False, trailers=True))
        listeners = [
            Listener(f"{style}_{setup.name}", self.ports[style, setup.name], (setup.filter(style),))
            for style in STYLES
            for setup in SETUPS
        ]
        admin = free_port()
        self.envoy = Envoy(launcher, bootstrap(admin, listeners, clusters), admin)

    def request(self, style: str, setup: str, method: str = "GET", do: list[str] | None = None, **parts):
        """A request whose x-do headers tell the processor what to do."""
        return http.request(self.ports[style, setup], method, "/lab", **with_actions(do, parts))

    async def request_async(self, style: str, setup: str, method: str = "GET", do: list[str] | None = None, **parts):
        return await http.request_async(self.ports[style, setup], method, "/lab", **with_actions(do, parts))


def with_actions(do: list[str] | None, parts: dict) -> dict:
    headers = [*parts.pop("headers", []), *(("x-do", action) for action in do or [])]
    return {"headers": headers, **parts}
