"""What the drivers are given, and how: see pieces.h."""

import random
import struct
import subprocess
from collections.abc import Iterable


_EVENT_PARTS = [b"data", b"data", b"event", b"id", b"retry", b":", b":", b": ", b" ", b"\n", b"\n", b"\r", b"\r\n", b"\r\n\r\n", b"\n\n"]
_EVENT_PARTS += [b"\xef\xbb\xbf", b"\x00", b"x", b"1", "é".encode(), b"dat", b"data:a\n", b"data:\n", b"id:7\n"]


def event_streams(rng: random.Random) -> list[bytes]:
    return [b"".join(rng.choices(_EVENT_PARTS, k=rng.randrange(1, 40))) for _ in range(20_000)]


def bodies(rng: random.Random) -> list[bytes]:
    words = [rng.randbytes(rng.randrange(1, 9)) for _ in range(50)]
    return [b"".join(rng.choices(words, k=rng.choice((0, 1, 5, 100, 3000)))) for _ in range(200)]


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
