"""The plots of a run, for the README and docs/performance.md."""

from pathlib import Path

from lib.results import Results
from lib.servers import ALL
from lib.svg import PALETTE, Bar, Line, bars, lines
from lib.table import number

_TITLES = {server.name: server.title for server in ALL}
_COLORS = dict(zip(_TITLES, PALETTE, strict=True))
_ROUTES = {"one": "one processor", "one chain": "six in one chain", "six filters": "six filters"}


def write_all(results: Results, folder: Path) -> None:
    idle = (results.cases("memory") or [""])[-1]
    plots = {
        "direct.svg": _bars(
            results, "Server CPU for one stream of two messages, µs", "direct", "h2load", "cpu_us_per_stream", "µs"
        ),
        "envoy.svg": _bars(
            results, "Server CPU for one request behind Envoy, µs", "envoy", "tcp c16", "cpu_us_per_request", "µs"
        ),
        "latency.svg": _bars(
            results,
            "Latency that the processor adds behind Envoy, one connection, p50, µs",
            "envoy",
            "tcp c1",
            "added_p50_us",
            "µs",
        ),
        "memory.svg": _bars(
            results,
            f"Resident memory for one idle stream, {idle}, KiB",
            "memory",
            idle,
            "bytes_per_stream",
            "KiB",
            1 / 1024,
        ),
        "six.svg": _six(results),
        "growth.svg": _growth(results),
    }
    for name, plot in plots.items():
        if plot is not None:
            (folder / name).write_text(plot)


def _bars(
    results: Results, title: str, measurement: str, case: str, value: str, unit: str, scale: float = 1
) -> str | None:
    found = {name: results.median(measurement, case, name, value) for name in _TITLES}
    entries = [
        Bar(_TITLES[name], figure * scale, f"{number(figure * scale)} {unit}", _COLORS[name])
        for name, figure in found.items()
        if figure is not None
    ]
    return bars(title, entries) if entries else None


def _six(results: Results) -> str | None:
    case = "bodies BUFFERED, c16"
    found = {label: results.median("six", case, route, "requests_per_s") for route, label in _ROUTES.items()}
    entries = [Bar(label, figure, number(figure), PALETTE[0]) for label, figure in found.items() if figure is not None]
    return bars("Requests/s through one Envoy worker, bodies BUFFERED, 16 connections", entries) if entries else None


def _growth(results: Results) -> str | None:
    cases = [case for case in results.cases("growth") if case.startswith("streams ")]
    series = []
    for name, title in _TITLES.items():
        found = ((float(case.split()[1]), results.median("growth", case, name, "cpu_us_per_stream")) for case in cases)
        points = [(x, y) for x, y in found if y is not None]
        if points:
            series.append(Line(title, points, _COLORS[name]))
    if not series or len(cases) < 2:
        return None
    return lines("Server CPU per stream as more are open at once", "streams at once", "µs", series)
