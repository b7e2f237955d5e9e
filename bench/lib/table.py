"""Tables as text: for the terminal, and as Markdown."""

from dataclasses import dataclass

from lib.statistics import Estimate


@dataclass
class Table:
    title: str
    head: list[str]
    rows: list[list[str]]

    def to_markdown(self) -> str:
        lines = [f"| {' | '.join(self.head)} |", f"|{'|'.join(['---', *['---:'] * (len(self.head) - 1)])}|"]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        return f"**{self.title}**\n\n" + "\n".join(lines) + "\n"

    def to_text(self) -> str:
        widths = [max(len(row[column]) for row in [self.head, *self.rows]) for column in range(len(self.head))]

        def line(row: list[str]) -> str:
            cells = [
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            return "  ".join(cells).rstrip()

        return "\n".join([self.title, line(self.head), *map(line, self.rows)]) + "\n"


def number(value: float | None) -> str:
    """Three digits that count, thousands separated."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def interval(found: Estimate | None, digits: int = 3) -> str:
    """The median and its interval, where there is more than one value."""
    if found is None:
        return "-"
    value, low, high = (f"{each:.{digits}g}" for each in (found.value, found.low, found.high))
    return value if found.count == 1 else f"{value} [{low}, {high}]"
