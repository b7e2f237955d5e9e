"""The samples of a run, asked by measurement, case, server and value."""

from statistics import median

from lib.sample import Sample
from lib.statistics import Estimate, estimate, paired_difference, paired_ratio


class Results:
    def __init__(self, samples: list[Sample]):
        self._samples = samples

    def cases(self, measurement: str) -> list[str]:
        """In the order in which they were measured."""
        return list(dict.fromkeys(sample.case for sample in self._samples if sample.measurement == measurement))

    def rounds(self, measurement: str, case: str, server: str, value: str) -> dict[int, float]:
        return {
            sample.round: sample.values[value]
            for sample in self._samples
            if (sample.measurement, sample.case, sample.server) == (measurement, case, server)
            and value in sample.values
        }

    def median(self, measurement: str, case: str, server: str, value: str) -> float | None:
        rounds = self.rounds(measurement, case, server, value)
        return median(rounds.values()) if rounds else None

    def estimate(self, measurement: str, case: str, server: str, value: str) -> Estimate | None:
        rounds = self.rounds(measurement, case, server, value)
        return estimate(list(rounds.values())) if rounds else None

    def ratio(self, measurement: str, case: str, ours: str, theirs: str, value: str) -> Estimate | None:
        """Of the same rounds of one case."""
        return paired_ratio(self.rounds(measurement, case, ours, value), self.rounds(measurement, case, theirs, value))

    def difference(self, measurement: str, case: str, ours: str, theirs: str, value: str) -> Estimate | None:
        """Of the same rounds of one case, in the value's unit."""
        return paired_difference(
            self.rounds(measurement, case, ours, value), self.rounds(measurement, case, theirs, value)
        )

    def ratio_of_cases(self, measurement: str, case: str, other_case: str, server: str, value: str) -> Estimate | None:
        """Of two cases of one server; their rounds of the same number are taken for pairs."""
        return paired_ratio(
            self.rounds(measurement, case, server, value), self.rounds(measurement, other_case, server, value)
        )

    def ratio_of_values(self, measurement: str, case: str, server: str, value: str, other: str) -> Estimate | None:
        """Of two values of the same rounds."""
        return paired_ratio(
            self.rounds(measurement, case, server, value), self.rounds(measurement, case, server, other)
        )
