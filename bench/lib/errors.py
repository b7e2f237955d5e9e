"""What can be wrong, with what to do about it in the text."""


class BenchError(Exception):
    """The benchmark cannot go on."""


class Missing(Exception):
    """A server cannot be built or started here; the text says what is missing and how to get it."""


class WrongAnswer(Exception):
    """A server answered wrongly or lost requests: its figure would mean nothing."""
