"""What is measured, as data: how long, how often, at which sizes, and in which order."""

from dataclasses import dataclass

# The modules of lib/measure, in the order in which they run.
MEASUREMENTS = ("direct", "envoy", "bodies", "memory", "growth", "six", "advice", "tls", "traces", "metrics", "inside", "inside_instructions", "production", "gateway", "allocations", "build")


@dataclass(frozen=True)
class Scale:
    rounds: int
    """Rounds of two-message streams straight to a server. In each, all servers have their turn."""
    body_rounds: int
    memory_rounds: int
    growth_rounds: int
    seconds: float
    """How long one run straight to a server is meant to take: short, so that what disturbs the machine for some seconds
    happens to all servers."""
    envoy_rounds: int
    own_rounds: int
    """Of what is measured behind Envoy on extproc alone: six processors, and what a user can do."""
    inside_rounds: int
    """Of what is measured inside Envoy, each of four runs."""
    inside_turns: int
    """Of each way in such a round, on one connection."""
    counts_instructions: bool
    """Of a whole Envoy under valgrind, which takes a minute."""
    production_rounds: int
    """Of what processors of examples/production add to a stream."""
    gateway_rounds: int
    gateway_requests: int
    """Of each run, one after the other on one connection."""
    envoy_seconds: int
    unix_connections: tuple[int, ...]
    """The numbers of wrk's connections at which the Unix socket is measured too."""
    envoy_warm_up: bool
    """Whether each route has a second of load before it is measured."""
    advice_connections: tuple[int, ...]
    idle_streams: tuple[int, ...]
    settle_seconds: float
    """How long a server is left alone before its memory is read."""
    concurrencies: tuple[int, ...]
    header_counts: tuple[int, ...]
    growth_servers: tuple[str, ...]
    compiles: int
    whole_grpcpp_compile: bool
    """Compile also, once, the generated code that a service on grpc++ needs: some minutes."""


FULL = Scale(
    rounds=20,
    body_rounds=10,
    memory_rounds=1,
    growth_rounds=5,
    seconds=0.6,
    envoy_rounds=12,
    own_rounds=6,
    inside_rounds=10,
    inside_turns=100,
    counts_instructions=True,
    production_rounds=10,
    gateway_rounds=10,
    gateway_requests=400,
    envoy_seconds=2,
    unix_connections=(1,),
    envoy_warm_up=True,
    advice_connections=(1, 16),
    idle_streams=(20_000, 100_000),
    settle_seconds=1.0,
    concurrencies=(1, 10, 100, 1_000, 10_000),
    header_counts=(2, 10, 30, 100),
    growth_servers=("extproc", "nghttp2", "grpcpp", "tonic", "go"),
    compiles=3,
    whole_grpcpp_compile=True,
)
QUICK = Scale(
    rounds=3,
    body_rounds=2,
    memory_rounds=1,
    growth_rounds=2,
    seconds=0.4,
    envoy_rounds=2,
    own_rounds=2,
    inside_rounds=2,
    inside_turns=20,
    counts_instructions=False,
    production_rounds=2,
    gateway_rounds=2,
    gateway_requests=50,
    envoy_seconds=1,
    unix_connections=(1,),
    envoy_warm_up=False,
    advice_connections=(16,),
    idle_streams=(2_000,),
    settle_seconds=0.3,
    concurrencies=(1, 100, 1_000),
    header_counts=(2, 100),
    growth_servers=("extproc", "nghttp2"),
    compiles=1,
    whole_grpcpp_compile=False,
)

# Streams at once, over so many connections, as an Envoy with some workers has them.
DIRECT_CONNECTIONS, DIRECT_CONCURRENCY = 8, 64
WRK_CONNECTIONS = (1, 16)
BODY_BYTES = {"buffered": 1 << 20, "streamed": 8 << 20, "fds": 8 << 20}
BODY_CONNECTIONS, BODY_CONCURRENCY = 2, 4
IDLE_CONNECTIONS = 200
"""Below 800 streams each, which is where extproc has Envoy open another connection."""
TLS_CONNECTIONS = 1_000
"""Idle ones, whose memory is measured."""
TLS_CLEAR, TLS_OURS, TLS_GRPCPP = "extproc, clear text", "extproc, TLS", "grpc++ callback, TLS"
"""Who is measured there, as the samples name them."""
METRICS_NONE, METRICS_ON = "extproc, no metrics", "extproc, metrics"
TRACES_NONE, TRACES_SOME, TRACES_ALL = "extproc, no traces", "extproc, traces of 1 %", "extproc, traces of all"
INSIDE_NONE, INSIDE, INSIDE_EXT_PROC, INSIDE_LUA = "no filter", "inside Envoy", "ext_proc", "Envoy's Lua"
GATEWAY_NONE, GATEWAY, GATEWAY_GO, GATEWAY_PYTHON = "no processor", "production.AiGateway", "grpc-go", "Python grpc.aio"
GROWTH_CONNECTIONS = 20
"""At most, so that 10,000 streams at once stay below that too."""
THREADS = (1, 2)


def order(turn: int, names: list[str]) -> list[str]:
    """Of the servers in a round. Two rounds are each other's reverse; another server begins the next two."""
    shift = turn // 2 % len(names) if names else 0
    forth = names[shift:] + names[:shift]
    return forth if turn % 2 == 0 else forth[::-1]
