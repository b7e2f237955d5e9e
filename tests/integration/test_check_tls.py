"""What the rules of `extproc check` say of TLS is what Envoy does."""

import re

import pytest

from harness.certificates import Authority
from harness.command import extproc
from harness.envoy_tls import TRIVIAL, ask
from harness.tls_peer import TlsPeer


def test_health_checks_ask_for_h2_where_it_is_stated_alone(own_launcher, tls_files, authority, server_pair):
    with TlsPeer(server_pair, authority.certificate) as peer:
        asking = ask(own_launcher, tls_files, peer.port, change=lambda context: context.pop("alpn_protocols"))
        assert peer.next().protocol is None
    assert "[tls-alpn]" in asking.findings()


def test_envoy_speaks_an_older_version_unless_it_is_told_otherwise(own_launcher, tls_files, authority, server_pair):
    with TlsPeer(server_pair, authority.certificate) as peer:
        asking = ask(own_launcher, tls_files, peer.port, change=lambda context: context.pop("tls_params"))
        assert peer.next().version == "TLSv1.2"
    assert "[tls-version]" in asking.findings()


@pytest.mark.parametrize("validation", [{}, {"validation_context": {"system_root_certs": {}}}], ids=["none", "system"])
def test_without_a_ca_every_server_is_trusted(own_launcher, tmp_path, tls_files, validation):
    stranger = Authority(tmp_path, "stranger").server("DNS:stranger.example")

    def change(context: dict) -> None:
        del context["combined_validation_context"]
        context |= validation

    with TlsPeer(stranger) as peer:
        asking = ask(own_launcher, tls_files, peer.port, change=change)
        assert not peer.next().failure
    assert "[tls-any-server]" in asking.findings()


@pytest.mark.parametrize("watched", [True, False], ids=["watched", "plain"])
def test_certificates_without_sds_are_read_once(own_launcher, tls_files, authority, server_pair, watched):
    folder = tls_files.certificates
    certificate = {"certificate_chain": {"filename": f"{folder}/tls.crt"}, "private_key": {"filename": f"{folder}/tls.key"}}
    if watched:
        certificate["watched_directory"] = {"path": str(folder)}

    def change(context: dict) -> None:
        del context["tls_certificate_sds_secret_configs"]
        context["tls_certificates"] = [certificate]

    with TlsPeer(server_pair, authority.certificate) as peer:
        asking = ask(own_launcher, tls_files, peer.port, change=change)
        assert peer.next().client == ("first.example",)
        tls_files.put(authority.certificate, authority.client("DNS:second.example"))
        # By then one that comes by SDS is in use: the checks come each second.
        for _ in range(3):
            assert peer.next().client == ("first.example",)
    assert "[tls-not-reloaded]" in asking.findings()


def test_check_takes_one_of_the_two():
    run = extproc("check", "-", *TRIVIAL, "--tls", "--no-tls", input="")
    assert run.returncode == 2
    assert re.search(r"--(no-)?tls", run.stderr)
