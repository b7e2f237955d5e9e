"""Starts a program as a service manager does: activate.py FD,FD,... NAMES PROGRAM ARGUMENT...  The sockets become its descriptors
from 3 upward; NAMES may be empty."""

import os
import sys

FIRST = 3


def main() -> None:
    sockets = [int(fd) for fd in sys.argv[1].split(",") if fd]
    # Above all that are to be written over.
    sockets = [os.dup2(fd, FIRST + len(sockets) + 50 + i) for i, fd in enumerate(sockets)]
    for i, fd in enumerate(sockets):
        os.dup2(fd, FIRST + i, inheritable=True)
        os.close(fd)
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sockets))}
    if sys.argv[2]:
        os.environ["LISTEN_FDNAMES"] = sys.argv[2]
    os.execv(sys.argv[3], sys.argv[3:])


main()
