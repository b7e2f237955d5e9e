#!/usr/bin/env python3
"""Takes descriptors out of a program: from_program.py <program> <file>.proto... > <set>.desc

A program that is compiled with protobuf's classes has their files' descriptors in its data, each a serialised
FileDescriptorProto, which begins with the file's name.
"""

import mmap
import sys
from pathlib import Path

NAME, LENGTH_DELIMITED = 1, 2
FIELDS = range(1, 15)  # of FileDescriptorProto


def varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def end_of(data: mmap.mmap, begin: int) -> int:
    """Where the message ends: behind it nothing looks like another of its fields."""
    at = begin
    while True:
        tag, value = varint(data, at)
        field, kind = tag >> 3, tag & 7
        if field not in FIELDS or (field == NAME and at != begin) or kind not in (0, LENGTH_DELIMITED):
            return at
        size, at = varint(data, value)
        if kind == LENGTH_DELIMITED:
            at += size


def descriptor(data: mmap.mmap, name: str) -> bytes:
    start = bytes([NAME << 3 | LENGTH_DELIMITED, len(name)]) + name.encode()
    begin = data.find(start)
    while begin >= 0:
        if (end := end_of(data, begin)) > begin + len(start):
            return data[begin:end]
        begin = data.find(start, begin + 1)
    sys.exit(f"error: there is no descriptor of {name} in it")


def as_varint(value: int) -> bytes:
    head = bytearray()
    while value >= 0x80:
        head.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*head, value])


def main() -> None:
    with Path(sys.argv[1]).open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        for name in sys.argv[2:]:
            found = descriptor(data, name)
            sys.stdout.buffer.write(bytes([1 << 3 | LENGTH_DELIMITED]) + as_varint(len(found)) + found)


if __name__ == "__main__":
    main()
