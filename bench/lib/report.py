"""The tables of a run."""

from lib.envoy import BASELINE
from lib.measure.advice import ROUTES
from lib.plan import INSIDE, INSIDE_EXT_PROC, INSIDE_LUA, INSIDE_NONE, METRICS_NONE, METRICS_ON, TLS_CLEAR, TLS_GRPCPP, TLS_OURS, TRACES_ALL, TRACES_NONE, TRACES_SOME
from lib.report_production import gateway_table, production_table
from lib.results import Results
from lib.servers import ALL
from lib.table import Table, interval, number

_TITLES = {server.name: server.title for server in ALL}
_ROUTE_HEAD = [
    "case",
    "requests/s",
    "p50 us",
    "added p50 us",
    "added p99 us",
    "added p99.9 us",
    "server CPU us",
    "Envoy CPU us",
]
_COMPARED = (
    ("direct", "h2load", "cpu_us_per_stream"),
    ("direct", "as envoy", "cpu_us_per_stream"),
    ("envoy", "tcp c16", "cpu_us_per_request"),
    ("envoy", "tcp c1", "added_p50_us"),
    ("envoy", "unix c1", "added_p50_us"),
    ("bodies", "buffered", "cpu_s_per_gib"),
    ("bodies", "streamed", "cpu_s_per_gib"),
    ("bodies", "fds", "cpu_s_per_gib"),
)
_MIB = 1 << 20
_KIB = 1 << 10


def tables(results: Results, missing: dict[str, str]) -> list[Table]:
    made = [
        summary(results, missing),
        ratio_table(results),
        envoy_table(results),
        six_table(results),
        advice_table(results),
        tls_table(results),
        tls_envoy_table(results),
        traces_table(results),
        metrics_table(results),
        inside_table(results),
        inside_instructions_table(results),
        production_table(results),
        gateway_table(results),
        body_table(results),
        memory_table(results),
    ]
    return [table for table in [*made, growth_table(results), build_table(results)] if table.rows]


def _ours_to(results: Results, measurement: str, case: str, server: str, value: str) -> str:
    """Their figure in multiples of ours."""
    if server == "extproc":
        return "1"
    found = results.ratio(measurement, case, server, "extproc", value)
    return "-" if found is None else f"{number(found.value)} x"


def summary(results: Results, missing: dict[str, str]) -> Table:
    head = [
        "server",
        "CPU/stream us",
        "to ours",
        "streams/s",
        "CPU/request us",
        "to ours",
        "added p50 us",
        "to ours",
        "idle stream KiB",
    ]
    idle = (results.cases("memory") or [""])[-1]
    rows = []
    for server in ALL:
        name = server.name
        if name in missing:
            rows.append([server.title, "missing", *["-"] * (len(head) - 2)])
            continue
        memory = results.median("memory", idle, name, "bytes_per_stream")
        rows.append([
            server.title,
            number(results.median("direct", "h2load", name, "cpu_us_per_stream")),
            _ours_to(results, "direct", "h2load", name, "cpu_us_per_stream"),
            number(results.median("direct", "h2load", name, "streams_per_s")),
            number(results.median("envoy", "tcp c16", name, "cpu_us_per_request")),
            _ours_to(results, "envoy", "tcp c16", name, "cpu_us_per_request"),
            number(results.median("envoy", "tcp c1", name, "added_p50_us")),
            _ours_to(results, "envoy", "tcp c1", name, "added_p50_us"),
            number(memory / _KIB if memory is not None else None),
        ])  # fmt: skip
    return Table("The same processor on each server: medians", head, rows)


def ratio_table(results: Results) -> Table:
    """Ours / theirs, with the interval; below 1 is in our favour."""
    theirs = [name for name in _TITLES if name != "extproc"]
    rows = []
    for measurement, case, value in _COMPARED:
        cells = [interval(results.ratio(measurement, case, "extproc", name, value)) for name in theirs]
        if any(cell != "-" for cell in cells):
            rows.append([f"{measurement}, {case}, {value}", *cells])
    return Table(
        "extproc / each: medians of paired rounds, and their 95 % intervals",
        ["figure", *(_TITLES[name] for name in theirs)],
        rows,
    )


def envoy_table(results: Results) -> Table:
    return Table(
        "Requests through Envoy, one worker",
        ["behind Envoy", *_ROUTE_HEAD],
        _route_rows(results, "envoy", [BASELINE, *_TITLES]),
    )


def six_table(results: Results) -> Table:
    routes = [BASELINE, "one", "one chain", "six filters"]
    return Table("Six processors in one process", ["six processors", *_ROUTE_HEAD], _route_rows(results, "six", routes))


def advice_table(results: Results) -> Table:
    return Table(
        "What a user can do", ["configuration", *_ROUTE_HEAD], _route_rows(results, "advice", [BASELINE, *ROUTES])
    )


def tls_table(results: Results) -> Table:
    head = ["TLS", "CPU/stream us", "less clear text", "streams/s", "idle connection KiB", "with a stream KiB"]
    rows = []
    for name in (TLS_CLEAR, TLS_OURS, TLS_GRPCPP):
        cpu = results.median("tls", "direct", name, "cpu_us_per_stream")
        if cpu is None:
            continue
        more = results.difference("tls", "direct", name, TLS_CLEAR, "cpu_us_per_stream")
        rows.append([
            name,
            number(cpu),
            interval(more) if name == TLS_OURS else "-",
            number(results.median("tls", "direct", name, "streams_per_s")),
            number(results.median("tls", "connections", name, "kib_per_connection")),
            number(results.median("tls", "connections", name, "kib_with_a_stream")),
        ])  # fmt: skip
    return Table("TLS 1.3 with AES-128-GCM, straight to the server", head, rows)


def traces_table(results: Results) -> Table:
    names = (TRACES_NONE, TRACES_SOME, TRACES_ALL)
    return _beside_without(results, "traces", names, "less that without", results.difference)


def metrics_table(results: Results) -> Table:
    return _beside_without(results, "metrics", (METRICS_NONE, METRICS_ON), "to that without", results.ratio)


def inside_table(results: Results) -> Table:
    head = ["a processor", "case", "requests/s", "p50 us", "added p50 us", "added p99 us", "Envoy CPU us", "added Envoy CPU us", "server CPU us"]
    values = ("requests_per_s", "p50_us", "added_p50_us", "added_p99_us", "envoy_cpu_us_per_request", "added_envoy_cpu_us", "cpu_us_per_request")
    rows = [
        [way, case, *(number(results.median("inside", case, way, value)) for value in values)]
        for case in results.cases("inside")
        for way in (INSIDE_NONE, INSIDE, INSIDE_EXT_PROC, INSIDE_LUA)
    ]
    return Table("Inside Envoy, and behind ext_proc", head, rows)


def inside_instructions_table(results: Results) -> Table:
    group = "inside_instructions"
    rows = [
        [way, case, *(number(results.median(group, case, way, value)) for value in ("instructions", "added_instructions"))]
        for case in results.cases(group)
        for way in (INSIDE_NONE, INSIDE, INSIDE_EXT_PROC, INSIDE_LUA)
    ]
    return Table("Instructions of Envoy, and of what it loads, for a request", ["a processor", "case", "instructions", "added"], rows)


def _beside_without(results: Results, group: str, names: tuple[str, ...], how: str, compare) -> Table:
    """What something costs that is on, by the server without it, which is the first of the names."""
    rows = []
    for name in names:
        cpu = results.median(group, "direct", name, "cpu_us_per_stream")
        if cpu is None:
            continue
        more = "-" if name == names[0] else interval(compare(group, "direct", name, names[0], "cpu_us_per_stream"))
        rate = number(results.median(group, "direct", name, "streams_per_s"))
        rows.append([name, number(cpu), more, rate])
    return Table(f"{group.title()}, straight to the server", [group, "CPU/stream us", how, "streams/s"], rows)


def tls_envoy_table(results: Results) -> Table:
    rows = _route_rows(results, "tls", [BASELINE, TLS_CLEAR, TLS_OURS])
    return Table("TLS between Envoy and the processor", ["behind Envoy", *_ROUTE_HEAD], rows)


def _route_rows(results: Results, measurement: str, routes: list[str]) -> list[list[str]]:
    values = (
        "requests_per_s",
        "p50_us",
        "added_p50_us",
        "added_p99_us",
        "added_p999_us",
        "cpu_us_per_request",
        "envoy_cpu_us_per_request",
    )
    rows = []
    for case in results.cases(measurement):
        for route in routes:
            if results.median(measurement, case, route, "requests_per_s") is not None:
                rows.append(
                    [
                        _TITLES.get(route, route),
                        case,
                        *(number(results.median(measurement, case, route, value)) for value in values),
                    ]
                )
    return rows


def body_table(results: Results) -> Table:
    cases = results.cases("bodies")
    head = ["bodies", *(f"{case} {unit}" for case in cases for unit in ("MiB/s", "CPU s/GiB"))]
    rows = []
    for name, title in _TITLES.items():
        cells = [
            number(results.median("bodies", case, name, value))
            for case in cases
            for value in ("mib_per_s", "cpu_s_per_gib")
        ]
        if any(cell != "-" for cell in cells):
            rows.append([title, *cells])
    return Table("Bodies: 1 MiB replaced, 64 KiB chunks continued, 64 KiB chunks passed through", head, rows)


def memory_table(results: Results) -> Table:
    head = ["idle streams", "at once", "KiB a stream", "before MiB", "open MiB", "closed MiB", "open again MiB"]
    rows = []
    for case in results.cases("memory"):
        for name, title in _TITLES.items():
            each = results.median("memory", case, name, "bytes_per_stream")
            if each is not None:
                sizes = (
                    results.median("memory", case, name, f"{when}_bytes")
                    for when in ("before", "open", "closed", "again")
                )
                rows.append([title, case, number(each / _KIB), *(number(size / _MIB) for size in sizes)])
    return Table("Resident memory with open idle streams", head, rows)


def growth_table(results: Results) -> Table:
    cases = results.cases("growth")
    rows = []
    for name, title in _TITLES.items():
        cells = [number(results.median("growth", case, name, "cpu_us_per_stream")) for case in cases]
        if any(cell != "-" for cell in cells):
            rows.append([title, *cells])
            rates = [number(results.median("growth", case, name, "streams_per_s")) for case in cases]
            rows.append([f"{title}, streams/s", *rates])
    return Table("Growth: server CPU per stream in us", ["server", *cases], rows)


def build_table(results: Results) -> Table:
    head = ["what is built", "of", "seconds", "CPU seconds", "stripped KiB", "shared libraries"]
    rows = []
    for case in results.cases("build"):
        for name, title in _TITLES.items():
            values = ("wall_s", "cpu_s", "binary_bytes", "shared_libraries")
            seconds, cpu, size, libraries = (results.median("build", case, name, value) for value in values)
            if seconds is not None or size is not None:
                rows.append(
                    [
                        case,
                        title,
                        number(seconds),
                        number(cpu),
                        number(size / _KIB if size else None),
                        number(libraries).removesuffix(".00"),
                    ]
                )
    return Table("What a user builds", head, rows)
