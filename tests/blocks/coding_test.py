#!/usr/bin/env python3
"""Decoders and encoders against Python's own, and where they are installed against brotli and zstandard: coding_test.py <driver>"""

import importlib.util
import random
import sys
import unittest
import zlib
from collections.abc import Callable

import pieces

DRIVER = sys.argv.pop(1)
WBITS = {"gzip": 31, "deflate": 15}


def zlib_encode(coding: str, data: bytes) -> bytes:
    encoder = zlib.compressobj(random.Random(len(data)).randrange(10), zlib.DEFLATED, WBITS[coding])
    return encoder.compress(data) + encoder.flush()


def decoder_of(coding: str) -> Callable[[bytes], bytes]:
    """Gives what can be decoded of the bytes so far."""
    if coding == "br":
        import brotli

        return brotli.Decompressor().process
    if coding == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress
    return zlib.decompressobj(WBITS[coding]).decompress


def encode(coding: str, data: bytes) -> bytes:
    if coding == "br":
        import brotli

        return brotli.compress(data, quality=4)
    if coding == "zstd":
        import zstandard

        return zstandard.ZstdCompressor().compress(data)
    return zlib_encode(coding, data)


class Coding(unittest.TestCase):
    CODINGS = ["gzip", "deflate"]
    CODINGS += [name for name, module in (("br", "brotli"), ("zstd", "zstandard")) if importlib.util.find_spec(module)]

    def test_what_python_encodes_is_decoded(self) -> None:
        rng = random.Random(1)
        for coding in self.CODINGS:
            plain = pieces.bodies(rng)
            lines = pieces.run([DRIVER, "decode", coding], [pieces.cut(encode(coding, body), rng) for body in plain])
            self.assertEqual([pieces.bytes_of(line) for line in lines], plain, coding)

    def test_what_is_encoded_python_decodes_piece_by_piece(self) -> None:
        rng = random.Random(2)
        for coding in self.CODINGS:
            cases = [pieces.cut(body, rng)[:60] for body in pieces.bodies(rng)]
            lines = pieces.run([DRIVER, "encode", coding], cases)
            self.assertEqual(len(lines), len(cases))
            for case, line in zip(cases, lines):
                decode = decoder_of(coding)
                *flushed, _ = line.split(" ")
                self.assertEqual([decode(pieces.bytes_of(part)) for part in flushed], case, coding)

    def test_what_is_cut_or_changed_is_refused_as_by_python(self) -> None:
        rng = random.Random(3)
        for coding in WBITS:
            wrong = []
            for body in pieces.bodies(rng):
                data = bytearray(encode(coding, body))
                if rng.random() < 0.5:
                    del data[rng.randrange(2, len(data)) :]
                else:
                    data[rng.randrange(2, len(data))] ^= 1 << rng.randrange(8)
                wrong.append(bytes(data))
            lines = pieces.run([DRIVER, "decode", coding], [pieces.cut(data, rng) for data in wrong])
            for data, line in zip(wrong, lines):
                decoder = zlib.decompressobj(WBITS[coding])
                try:
                    plain = decoder.decompress(data)
                    expected = plain if decoder.eof and not decoder.unused_data else None
                except zlib.error:
                    expected = None
                if expected is None:
                    self.assertTrue(line.startswith("!"), (coding, data, line))
                else:
                    self.assertEqual(pieces.bytes_of(line), expected)


if __name__ == "__main__":
    unittest.main()
