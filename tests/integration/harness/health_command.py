"""`extproc health`, run to its end, and peers that it meets."""

import contextlib
import socket
import threading
import time

from harness.command import extproc

# Ends a test that waits for what does not come; what is measured is far below.
TIMEOUT = ("--timeout", 10)


def healthy(*arguments) -> None:
    run = extproc("health", *arguments)
    assert (run.returncode, run.stdout, run.stderr) == (0, "SERVING\n", "")


def unhealthy(*arguments) -> str:
    """What it says in one line, with exit status 1."""
    run = extproc("health", *arguments)
    assert (run.returncode, run.stdout) == (1, ""), run.stdout + run.stderr
    assert run.stderr.startswith("extproc: ") and run.stderr.endswith("\n") and run.stderr.count("\n") == 1, run.stderr
    return run.stderr


def timed(*arguments) -> tuple[str, float]:
    begin = time.monotonic()
    error = unhealthy(*arguments)
    return error, time.monotonic() - begin


@contextlib.contextmanager
def peer(answer):
    """The port of a server that does `answer(connection)` with each connection, and then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        over = threading.Event()

        def serve():
            while not over.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    connection.settimeout(10)
                    with connection:
                        answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join()
