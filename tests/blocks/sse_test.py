#!/usr/bin/env python3
"""The parser of server-sent events against the HTML Standard's text, written down in Python: sse_test.py <driver>"""

import random
import re
import sys
import unittest

import pieces

DRIVER = sys.argv.pop(1)


def events(stream: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """9.2.6, on bytes: lines are read one by one, and an empty one dispatches."""
    stream = stream.removeprefix(b"\xef\xbb\xbf")
    *lines, _ = re.split(rb"\r\n|\n|\r", stream)
    found, data, kind, last_id = [], None, b"", b""
    for line in lines:
        if not line:
            if data is not None:
                found.append((kind or b"message", data.removesuffix(b"\n"), last_id))
            data, kind = None, b""
            continue
        name, colon, value = line.partition(b":")
        if colon and not name:
            continue
        value = value.removeprefix(b" ")
        if name == b"data":
            data = (data or b"") + value + b"\n"
        elif name == b"event":
            kind = value
        elif name == b"id" and b"\0" not in value:
            last_id = value
    return found


class Sse(unittest.TestCase):
    def test_random_streams_in_random_pieces(self) -> None:
        rng = random.Random(21)
        streams = pieces.event_streams(rng)
        lines = pieces.run([DRIVER, "read"], [pieces.cut(stream, rng) for stream in streams])
        self.assertEqual(len(lines), len(streams))
        dispatched = 0
        for stream, line in zip(streams, lines):
            *told, size = line.split(" ")
            seen = [tuple(pieces.bytes_of(part) for part in event.split(",")) for event in told]
            self.assertEqual(seen, events(stream), stream)
            self.assertEqual(int(size), len(stream), stream)
            dispatched += len(seen)
        self.assertGreater(dispatched, 10_000)


if __name__ == "__main__":
    unittest.main()
