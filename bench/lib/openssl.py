"""What OpenSSL takes by itself: `openssl speed`."""

import shutil
import subprocess

from lib.errors import BenchError, Missing

# What a JSON Web Token's algorithm is called there, and how the line of its figures begins.
_OF = {"RS256": ("rsa2048", "+F2:"), "ES256": ("ecdsap256", "+F4:")}
# How long it signs, and verifies then: the least that it takes.
_SECONDS = 1


def require() -> None:
    if shutil.which("openssl") is None:
        raise Missing("no openssl command: apt-get install openssl, then make bench again")


def verify_us(algorithm: str) -> float:
    """The CPU time of one signature that is verified."""
    name, _ = _OF[algorithm]
    done = subprocess.run(
        ["openssl", "speed", "-seconds", str(_SECONDS), "-mr", name], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BenchError(f"openssl speed: {done.stderr[-800:]}")
    return verify_us_of(done.stdout, algorithm)


def verify_us_of(printed: str, algorithm: str) -> float:
    """Of what `openssl speed -mr` prints: a line with the number of the key, its bits, signed and verified in a second."""
    _, begin = _OF[algorithm]
    line = next((line for line in printed.splitlines() if line.startswith(begin)), None)
    if line is None:
        raise BenchError(f"openssl speed tells nothing of {algorithm}: {printed[-800:]}")
    return 1e6 / float(line.split(":")[4])
