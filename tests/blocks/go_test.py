#!/usr/bin/env python3
"""Blocks against implementations of the same in Go (tests/blocks/go), both ways: go_test.py <sse driver> <coding driver, or nothing>"""

import random
import re
import sys
import unittest
from pathlib import Path

import pieces

SSE, CODING = sys.argv[1:3]
del sys.argv[1:3]
ORACLE = Path(__file__).resolve().parents[2] / "build" / "go" / "bin" / "blocks_oracle"
SKIPPED = 77
CODINGS = ("gzip", "deflate", "br", "zstd")


class Sse(unittest.TestCase):
    def test_both_read_the_same(self) -> None:
        rng = random.Random(22)
        cases = [pieces.cut(stream, rng) for stream in pieces.event_streams(rng)]
        ours, theirs = pieces.run([SSE, "read"], cases), pieces.run([ORACLE, "read"], cases)
        self.assertEqual(len(ours), len(cases))
        for case, our_line, their_line in zip(cases, ours, theirs, strict=True):
            self.assertEqual(our_line, their_line, b"".join(case))

    def test_each_reads_what_the_other_writes(self) -> None:
        rng = random.Random(23)
        texts = [b"a", b"", b" ", b":", b"\n", b"\r", b"\r\n", b"data: x", "\u00e9".encode(), b"{}"]

        def text(parts: list[bytes], most: int) -> bytes:
            return b"".join(rng.choices(parts, k=rng.randrange(most)))

        one_line = [part for part in texts if b"\r" not in part and b"\n" not in part]
        events = [[text(one_line, 4).strip(), text(texts, 12), text(one_line, 4).strip()] for _ in range(5_000)]
        for writer, reader in ((SSE, ORACLE), (ORACLE, SSE)):
            written = [pieces.bytes_of(line) for line in pieces.run([writer, "write"], events)]
            read = pieces.run([reader, "read"], [pieces.cut(stream, rng) for stream in written])
            for (kind, data, last_id), line in zip(events, read, strict=True):
                told = [tuple(map(pieces.bytes_of, event.split(","))) for event in line.split(" ")[:-1]]
                self.assertEqual(told, [(kind or b"message", re.sub(rb"\r\n|\r", b"\n", data), last_id)])


@unittest.skipUnless(CODING, "this build has no extproc::coding")
class Coding(unittest.TestCase):
    def test_each_decodes_what_the_other_encodes(self) -> None:
        rng = random.Random(24)
        for coding in CODINGS:
            # Each piece is flushed: more of them take long.
            plain = [pieces.cut(body, rng)[:60] for body in pieces.bodies(rng)]
            for encoder, decoder in ((CODING, ORACLE), (ORACLE, CODING)):
                encoded = pieces.run([encoder, "encode", coding], plain)
                whole = [b"".join(map(pieces.bytes_of, line.split(" "))) for line in encoded]
                decoded = pieces.run([decoder, "decode", coding], [pieces.cut(body, rng) for body in whole])
                self.assertEqual([pieces.bytes_of(line) for line in decoded], [b"".join(case) for case in plain], (coding, decoder))

    def test_both_refuse_what_is_cut_off(self) -> None:
        rng = random.Random(25)
        for coding in CODINGS:
            bodies = [body for body in pieces.bodies(rng) if body]
            encoded = pieces.run([ORACLE, "encode", coding], [[body] for body in bodies])
            cases = []
            for line in encoded:
                data = pieces.bytes_of(line)
                cases.append(pieces.cut(data[: rng.randrange(2, len(data))], rng))
            for driver in (CODING, ORACLE):
                lines = pieces.run([driver, "decode", coding], cases)
                self.assertEqual([line for line in lines if not line.startswith("!")], [], (coding, driver))


if __name__ == "__main__":
    if not ORACLE.exists():
        print(f"not tested: there is no {ORACLE}, which Go builds: scripts/install_test_tools.sh", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
