"""How the drivers are given cases: see pieces.h."""

import random
import struct
import subprocess
from collections.abc import Iterable


def cut(data: bytes, rng: random.Random) -> list[bytes]:
    pieces, rest = [], data
    while rest:
        size = rng.choice((1, 1, 2, 3, 7, 50, len(rest)))
        pieces.append(rest[:size])
        rest = rest[size:]
    return pieces


def run(driver: list[str], cases: Iterable[list[bytes]]) -> list[str]:
    """The driver's lines, one for each case."""
    given = bytearray()
    for pieces in cases:
        given += struct.pack("<I", len(pieces))
        for piece in pieces:
            given += struct.pack("<I", len(piece)) + piece
    done = subprocess.run(driver, input=bytes(given), stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()


def bytes_of(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("x"))
