"""Medians, and ratios and differences of pairs with the interval that they are known to."""

import random
from dataclasses import dataclass
from math import ceil
from statistics import median

_RESAMPLES = 2_000
_SEED = 20_240_229  # the same samples always give the same interval


@dataclass(frozen=True)
class Estimate:
    """A median, and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    count: int


def percentile(values: list[float], part: float) -> float:
    """The least value that so much of them is not above."""
    return sorted(values)[max(0, ceil(part * len(values)) - 1)]


def estimate(values: list[float]) -> Estimate:
    chance = random.Random(_SEED)
    medians = sorted(median(chance.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return Estimate(median(values), medians[int(0.025 * _RESAMPLES)], medians[int(0.975 * _RESAMPLES) - 1], len(values))


def paired_ratio(ours: dict[int, float], theirs: dict[int, float]) -> Estimate | None:
    """Ours / theirs, round by round; nothing where no round has both."""
    ratios = [ours[turn] / theirs[turn] for turn in ours if theirs.get(turn)]
    return estimate(ratios) if ratios else None


def paired_difference(ours: dict[int, float], theirs: dict[int, float]) -> Estimate | None:
    """Ours - theirs, round by round; nothing where no round has both."""
    differences = [ours[turn] - theirs[turn] for turn in ours if turn in theirs]
    return estimate(differences) if differences else None
