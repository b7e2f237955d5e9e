"""Choices that a seed decides, always the same."""

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """The choices for one case."""

    def __init__(self, *seed: object):
        self._random = random.Random("/".join(map(str, seed)))

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[self._random.randrange(len(items))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        return self._random.choices(list(weights), list(weights.values()))[0]

    def some(self, items: Sequence[T], most: int, least: int = 0) -> list[T]:
        """Some of the items, each once, in any order."""
        return self._random.sample(list(items), min(len(items), self._random.randint(least, most)))

    def number(self, least: int, most: int) -> int:
        return self._random.randint(least, most)
