"""Certificates for tests of TLS, made by the openssl command: CAs, what they sign, and what they should not have signed."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, files in PEM."""

    certificate: Path
    key: Path

    def pem(self) -> tuple[bytes, bytes]:
        """The key and the certificate, as grpcio takes them."""
        return self.key.read_bytes(), self.certificate.read_bytes()


class Authority:
    """A CA with files of its own in `folder`; several may share one under different names."""

    def __init__(self, folder: Path, name: str = "ca"):
        self._folder = folder
        self._name = name
        self._made = 0
        self._database = folder / f"{name}.database"
        self._database.touch()
        self._issued = folder / f"{name}.issued"
        self._issued.mkdir()
        self._subject = f"/CN={name}"
        self.pair = self._new_pair(name)
        _openssl(
            "req", "-x509", "-new", "-key", self.pair.key, "-out", self.pair.certificate, "-subj", self._subject, "-days", 30,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    @property
    def certificate(self) -> Path:
        """What trusts this CA has this file."""
        return self.pair.certificate

    def server(self, *names: str, **options) -> Pair:
        """For a server of these subject alternative names, as in "DNS:localhost", "IP:127.0.0.1"."""
        return self.issue("server", names or ("DNS:localhost", "IP:127.0.0.1", "IP:::1"), "serverAuth", **options)

    def client(self, *names: str, **options) -> Pair:
        """For a client, as in client("URI:spiffe://example.org/envoy")."""
        return self.issue("client", names or ("DNS:client.example",), "clientAuth", **options)

    def issue(
        self,
        role: str,
        names: tuple[str, ...],
        usage: str,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Pair:
        """A certificate from yesterday until tomorrow, unless other times are given, with time zone."""
        now = datetime.now(UTC)
        self._made += 1
        stem = f"{self._name}-{role}-{self._made}"
        pair = self._new_pair(stem)
        request = self._folder / f"{stem}.csr"
        _openssl("req", "-new", "-key", pair.key, "-out", request, "-subj", f"/CN={stem}")
        # A section for the names, which may have commas in them.
        extensions = self._folder / f"{stem}.cnf"
        extensions.write_text(_EXTENSIONS.format(database=self._database, usage=usage, names=_section(names)))
        _openssl(
            "ca", "-batch", "-notext", "-config", extensions, "-in", request, "-out", pair.certificate,
            "-cert", self.pair.certificate, "-keyfile", self.pair.key, "-outdir", self._issued, "-create_serial",
            "-startdate", _time(not_before or now - DAY), "-enddate", _time(not_after or now + DAY),
        )  # fmt: skip
        return pair

    def expired(self, *names: str) -> Pair:
        """A server's certificate whose time is over since an hour."""
        now = datetime.now(UTC)
        return self.server(*names, not_before=now - 2 * DAY, not_after=now - timedelta(hours=1))

    def revoke(self, pair: Pair) -> None:
        """Put it on the next list of revoked certificates."""
        self._with_database("-revoke", pair.certificate)

    def revoked(self) -> Path:
        """The list (CRL) of what was revoked so far."""
        path = self._folder / f"{self._name}.crl"
        self._with_database("-gencrl", "-crldays", 1, "-out", path)
        return path

    def _with_database(self, *arguments) -> None:
        config = self._folder / f"{self._name}.cnf"
        config.write_text(_EXTENSIONS.format(database=self._database, usage="serverAuth", names=_section(("DNS:unused",))))
        _openssl("ca", "-config", config, "-cert", self.pair.certificate, "-keyfile", self.pair.key, *arguments)

    def _new_pair(self, stem: str) -> Pair:
        pair = Pair(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", pair.key)
        return pair


def chain(path: Path, *certificates: Path) -> Path:
    """Certificates behind one another in one file."""
    path.write_bytes(b"".join(certificate.read_bytes() for certificate in certificates))
    return path


_EXTENSIONS = """
[ca]
default_ca = authority
[authority]
database = {database}
serial = {database}.serial
unique_subject = no
default_md = sha256
policy = any
x509_extensions = issued
[any]
commonName = supplied
[issued]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = {usage}
subjectAltName = @names
[names]
{names}
"""


def _section(names: tuple[str, ...]) -> str:
    lines = []
    for number, name in enumerate(names):
        kind, _, value = name.partition(":")
        lines.append(f"{kind}.{number} = {value}")
    return "\n".join(lines)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")


def _openssl(*arguments) -> None:
    run = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == 0, f"openssl {arguments[0]} failed: {run.stderr}"
