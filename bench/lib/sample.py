"""What one run of a load found out about one server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    measurement: str
    case: str
    server: str
    round: int
    values: dict[str, float]
