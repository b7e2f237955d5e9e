"""A small writer of bar and line charts as SVG. No dependency; readable on light and dark pages."""

import math
from dataclasses import dataclass
from html import escape

_FONT = 'font-family="system-ui, sans-serif"'
_INK, _FAINT, _PAPER = "#24292f", "#d0d7de", "#ffffff"
_WIDTH = 720
_LABEL_WIDTH = 150
_VALUE_WIDTH = 110
_BAR, _GAP = 22, 10
_TOP, _BOTTOM = 46, 14
_FAR = 3
PALETTE = ("#0969da", "#8c959f", "#bf8700", "#cf222e", "#1a7f37", "#8250df")


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    note: str
    """Written behind the bar."""
    color: str


def bars(title: str, entries: list[Bar]) -> str:
    """Horizontal bars on a linear scale from zero. One that is far longer than all others is drawn cut."""
    height = _TOP + len(entries) * (_BAR + _GAP) + _BOTTOM
    room = _WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    most = _longest_whole([entry.value for entry in entries])
    parts = [_text(16, 26, title, size=15, weight="600")]
    for row, entry in enumerate(entries):
        top = _TOP + row * (_BAR + _GAP)
        cut = entry.value > most
        length = room if cut else max(1.0, room * max(0.0, entry.value) / most)
        parts.append(_text(_LABEL_WIDTH - 8, top + 16, entry.label, anchor="end"))
        parts.append(
            f'<rect x="{_LABEL_WIDTH}" y="{top}" width="{length:.1f}" height="{_BAR}" rx="3" fill="{entry.color}"/>'
        )
        if cut:
            at = _LABEL_WIDTH + room * 0.93
            parts.append(f'<path d="M{at:.1f},{top + _BAR} l10,-{_BAR}" stroke="{_PAPER}" stroke-width="6"/>')
        parts.append(_text(_LABEL_WIDTH + length + 8, top + 16, entry.note))
    return _document(_WIDTH, height, parts)


def _longest_whole(values: list[float]) -> float:
    """The value that takes the whole width; above it a bar is cut."""
    longest, second, *_ = [*sorted(values, reverse=True), 0, 0]
    return (second * 1.5 if second > 0 and longest > second * _FAR else longest) or 1


@dataclass(frozen=True)
class Line:
    label: str
    points: list[tuple[float, float]]
    color: str


_PLOT_LEFT, _PLOT_TOP, _PLOT_WIDTH, _PLOT_HEIGHT = 64, 46, 480, 250


def lines(title: str, x_title: str, y_title: str, series: list[Line]) -> str:
    """Lines over a logarithmic x axis, on a linear y axis from zero."""
    xs = sorted({x for line in series for x, _ in line.points})
    ceiling = _round_up(max((y for line in series for _, y in line.points), default=1))
    low, high = math.log10(xs[0]), math.log10(xs[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - low) / (high - low) if high > low else 0.5
        return _PLOT_LEFT + share * _PLOT_WIDTH, _PLOT_TOP + (1 - y / ceiling) * _PLOT_HEIGHT

    parts = [_text(16, 26, title, size=15, weight="600")]
    for step in range(5):
        value = ceiling * step / 4
        _, y = place(xs[0], value)
        parts.append(
            f'<line x1="{_PLOT_LEFT}" y1="{y:.1f}" x2="{_PLOT_LEFT + _PLOT_WIDTH}" y2="{y:.1f}" stroke="{_FAINT}"/>'
        )
        parts.append(_text(_PLOT_LEFT - 8, y + 4, f"{value:g}", anchor="end", size=11))
    for x in xs:
        at, _ = place(x, 0)
        parts.append(_text(at, _PLOT_TOP + _PLOT_HEIGHT + 18, f"{x:,.0f}", anchor="middle", size=11))
    for row, line in enumerate(series):
        path = " ".join(
            f"{'M' if i == 0 else 'L'}{x:.1f},{y:.1f}"
            for i, (x, y) in enumerate(place(*point) for point in line.points)
        )
        parts.append(f'<path d="{path}" fill="none" stroke="{line.color}" stroke-width="2.5"/>')
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{line.color}"/>'
            for x, y in (place(*point) for point in line.points)
        ]
        top = _PLOT_TOP + 10 + row * 22
        parts.append(
            f'<rect x="{_PLOT_LEFT + _PLOT_WIDTH + 24}" y="{top - 9}" width="14" height="4" fill="{line.color}"/>'
        )
        parts.append(_text(_PLOT_LEFT + _PLOT_WIDTH + 44, top - 2, line.label))
    bottom = _PLOT_TOP + _PLOT_HEIGHT
    parts.append(_text(_PLOT_LEFT + _PLOT_WIDTH / 2, bottom + 38, x_title, anchor="middle"))
    parts.append(_text(_PLOT_LEFT + _PLOT_WIDTH, 26, y_title, anchor="end", size=11))
    return _document(_WIDTH, bottom + 52, parts)


def _round_up(value: float) -> float:
    """The next 1, 2, 4 or 8 times a power of ten, which four steps divide well."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 4, 8, 10) if factor * power >= value)


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 13, weight: str = "400") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    look = f'font-size="{size}" font-weight="{weight}" fill="{_INK}" {_FONT}'
    return f"<text {place} {look}>{escape(text)}</text>"


def _document(width: int, height: float, parts: list[str]) -> str:
    size = f'width="{width}" height="{height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height:.0f}">'
    return "\n".join([head, f'<rect {size} rx="6" fill="{_PAPER}"/>', *parts, "</svg>"]) + "\n"
