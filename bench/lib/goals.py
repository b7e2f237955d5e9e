"""The goals, and whether a run reached them. A ratio is ours / theirs; the smaller the better, unless told."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from lib.plan import (
    GATEWAY,
    INSIDE,
    INSIDE_EXT_PROC,
    INSIDE_NONE,
    METRICS_NONE,
    METRICS_ON,
    TLS_CLEAR,
    TLS_GRPCPP,
    TLS_OURS,
    TRACES_ALL,
    TRACES_NONE,
    TRACES_SOME,
)
from lib.results import Results
from lib.statistics import Estimate
from lib.table import interval

_US = "extproc"


@dataclass(frozen=True)
class Goal:
    text: str
    estimate: Callable[[Results], Estimate | None]
    """Nothing where it was not measured in this run."""
    limit: float
    at_least: bool = False
    upper_end: bool = False
    """The upper end of the interval is to reach it, not the median alone."""

    def check(self, results: Results) -> "Outcome":
        found = self.estimate(results)
        if found is None:
            return Outcome(self, None, None)
        figure = found.high if self.upper_end else found.value
        return Outcome(self, found, figure >= self.limit if self.at_least else figure <= self.limit)


@dataclass(frozen=True)
class Outcome:
    goal: Goal
    estimate: Estimate | None
    reached: bool | None

    @property
    def verdict(self) -> str:
        return {None: "not measured", True: "reached", False: "NOT REACHED"}[self.reached]

    @property
    def sign(self) -> str:
        return ">=" if self.goal.at_least else "<="

    def line(self) -> str:
        return f"{self.verdict:12} {self.figure():28} {self.sign} {self.goal.limit:<8.4g} {self.goal.text}"

    def figure(self) -> str:
        return "" if self.estimate is None else interval(self.estimate, digits=4)

    def to_json(self) -> dict:
        figures = {} if self.estimate is None else asdict(self.estimate)
        return {"goal": self.goal.text, "limit": self.goal.limit, "verdict": self.verdict, **figures}


def _inside(case: str, value: str):
    return lambda results: results.estimate("inside", case, INSIDE, value)


def _inside_to(case: str, other: str, value: str):
    return lambda results: results.ratio("inside", case, INSIDE, other, value)


def _ratio(measurement: str, case: str, theirs: str, value: str):
    return lambda results: results.ratio(measurement, case, _US, theirs, value)


def _between_cases(measurement: str, case: str, other: str, value: str):
    return lambda results: results.ratio_of_cases(measurement, case, other, _US, value)


def _six(ours: str, theirs: str, case: str, value: str):
    return lambda results: results.ratio("six", case, ours, theirs, value)


def _ratio_of_values(measurement: str, case: str, value: str, other: str):
    """Of two figures of ours, taken together."""
    return lambda results: results.ratio_of_values(measurement, case, _US, value, other)


def _ours(measurement: str, case: str, value: str):
    return lambda results: results.estimate(measurement, case, _US, value)


def _tls_adds(case: str, value: str):
    """TLS less clear text, in the value's unit."""
    return lambda results: results.difference("tls", case, TLS_OURS, TLS_CLEAR, value)


_CPU_DIRECT = "cpu_us_per_stream"
_PEERS_DIRECT = (("grpcpp", 1 / 10), ("tonic", 1 / 3), ("go", 1 / 8), ("python", 1 / 150))
GOALS = (
    Goal("direct: server CPU per stream / nghttp2", _ratio("direct", "h2load", "nghttp2", _CPU_DIRECT), 1.3),
    *(
        Goal(f"direct: server CPU per stream / {peer}", _ratio("direct", "h2load", peer, _CPU_DIRECT), limit)
        for peer, limit in _PEERS_DIRECT
    ),
    *(
        Goal(
            f"behind Envoy: server CPU per request / {peer}",
            _ratio("envoy", "tcp c16", peer, "cpu_us_per_request"),
            limit,
        )
        for peer, limit in (("nghttp2", 1.15), ("grpcpp", 1 / 8), ("tonic", 1 / 2.5))
    ),
    Goal(
        "behind Envoy: added p50, one connection / nghttp2, upper end of the 95 % interval",
        _ratio("envoy", "tcp c1", "nghttp2", "added_p50_us"),
        1.1,
        upper_end=True,
    ),
    *(
        Goal(f"behind Envoy: added p50, one connection / {peer}", _ratio("envoy", "tcp c1", peer, "added_p50_us"), 1)
        for peer, _ in _PEERS_DIRECT
    ),
    *(
        Goal(
            f"six processors, {case}: added p50 of one chain / of one processor",
            _six("one chain", "one", f"{case}, c1", "added_p50_us"),
            1.3,
        )
        for case in ("headers", "bodies BUFFERED")
    ),
    *(
        Goal(
            f"six processors, {case}: requests/s of one chain / of six filters",
            _six("one chain", "six filters", f"{case}, c16", "requests_per_s"),
            6,
            at_least=True,
        )
        for case in ("headers", "bodies BUFFERED")
    ),
    Goal(
        "memory: resident bytes per idle stream at 100,000 / nghttp2",
        _ratio("memory", "100000 streams", "nghttp2", "bytes_per_stream"),
        1.6,
    ),
    Goal(
        "memory: resident with 100,000 streams the second time / the first time",
        _ratio_of_values("memory", "100000 streams", "again_bytes", "open_bytes"),
        1.1,
    ),
    Goal("bodies: CPU per GiB passed through / nghttp2", _ratio("bodies", "fds", "nghttp2", "cpu_s_per_gib"), 1.3),
    *(
        Goal(f"bodies: CPU per GiB, {variant} / grpc++", _ratio("bodies", variant, "grpcpp", "cpu_s_per_gib"), 1 / 3)
        for variant in ("buffered", "streamed", "fds")
    ),
    Goal(
        "growth: CPU per stream at 10,000 at once / at 100",
        _between_cases("growth", "streams 10000", "streams 100", _CPU_DIRECT),
        1.5,
    ),
    Goal("growth: CPU per stream, one at a time / nghttp2", _ratio("growth", "streams 1", "nghttp2", _CPU_DIRECT), 1.3),
    Goal("TLS: server CPU per stream less that in clear text, us", _tls_adds("direct", _CPU_DIRECT), 1.5),
    Goal(
        "TLS: server CPU per stream / grpc++ over TLS",
        lambda results: results.ratio("tls", "direct", TLS_OURS, TLS_GRPCPP, _CPU_DIRECT),
        1 / 12,
    ),
    Goal("TLS: p50 behind Envoy, one connection, less that in clear text, us", _tls_adds("tcp c1", "p50_us"), 8),
    Goal(
        "TLS: resident KiB of an idle connection",
        lambda results: results.estimate("tls", "connections", TLS_OURS, "kib_per_connection"),
        40,
    ),
    Goal(
        "metrics: server CPU per stream / without",
        lambda results: results.ratio("metrics", "direct", METRICS_ON, METRICS_NONE, _CPU_DIRECT),
        1.03,
    ),
    Goal(
        "metrics: the same, upper end of the 95 % interval",
        lambda results: results.ratio("metrics", "direct", METRICS_ON, METRICS_NONE, _CPU_DIRECT),
        1.05,
        upper_end=True,
    ),
    Goal(
        "traces of 1 %: server CPU per stream / without",
        lambda results: results.ratio("traces", "direct", TRACES_SOME, TRACES_NONE, _CPU_DIRECT),
        1.03,
    ),
    Goal(
        "traces of all: server CPU per stream less that without, us",
        lambda results: results.difference("traces", "direct", TRACES_ALL, TRACES_NONE, _CPU_DIRECT),
        1.5,
    ),
    Goal("inside Envoy: added p50, one connection, us", _inside("one, c1", "added_p50_us"), 8),
    Goal("inside Envoy: the same / ext_proc", _inside_to("one, c1", INSIDE_EXT_PROC, "added_p50_us"), 1 / 15),
    Goal("inside Envoy: Envoy's CPU added, 16 connections / ext_proc", _inside_to("one, c16", INSIDE_EXT_PROC, "added_envoy_cpu_us"), 1 / 7),
    Goal("inside Envoy: requests/s, 16 connections / no filter", _inside_to("one, c16", INSIDE_NONE, "requests_per_s"), 0.85, at_least=True),
    Goal("inside Envoy: six, added p50, one connection, us", _inside("six, c1", "added_p50_us"), 25),
    Goal("inside Envoy: a replaced body of 1,000 bytes, added p50, one connection, us", _inside("a replaced body, c1", "added_p50_us"), 6),
    Goal(
        "CallLog: server CPU added to a stream, us",
        lambda results: results.estimate("production", "CallLog", "production.CallLog", "added_us"),
        1,
    ),
    *(
        Goal(
            f"JwtAuth, {algorithm}, a key that it has: server CPU added to a stream, less what openssl takes to verify, us",
            lambda results, algorithm=algorithm: results.estimate("production", f"JwtAuth, {algorithm}", "production.JwtAuth", "beyond_verify_us"),
            15,
        )
        for algorithm in ("RS256", "ES256")
    ),
    *(
        Goal(
            f"AiGateway: first byte behind Envoy, one connection, {part} less that without, us",
            lambda results, part=part: results.estimate("gateway", "tcp c1", GATEWAY, f"added_first_{part}_us"),
            1_000,
        )
        for part in ("p50", "p99")
    ),
    *(
        Goal(f"operator new: {item}", _ours("allocations", item, "operator_new"), limit)
        for item, limit in (
            ("decode a headers message", 0),
            ("encode an answer", 0),
            ("a stream without HTTP/2", 2),
            ("a stream through HTTP/2", 2),
        )
    ),
    Goal("build: seconds for the ten-line processor", _ours("build", "ten lines", "wall_s"), 4),
    Goal(
        "build: seconds for the ten-line processor / the same on grpc++",
        _ratio("build", "ten lines", "grpcpp", "wall_s"),
        1 / 5,
    ),
)
