"""A real Envoy Gateway takes what the chart writes, and has the real Envoy ask replicas of its Deployment."""

import pytest
import yaml
from envoy_gateway import EnvoyGateway
from helm import CHART, helm
from pods import Pods
from scenario import START, check_health_is_seen, failed, processed, replace_one_under_load, unprocessed, wait_for

from harness.command import config

TRIVIAL = "examples.TrivialExtProcService"
RELEASE, NAMESPACE = "trivial", "default"
HOST = f"{RELEASE}.{NAMESPACE}.svc.cluster.local"


def chart(folder, *flags, tls: bool) -> str:
    """By the commands of docs/deploy.md."""
    file = folder / "trivial.yaml"
    given = ("--tls", "--tls-ca", "processor-ca") if tls else ()
    file.write_text(config("--format", "envoy-gateway", "-s", TRIVIAL, "--cluster-name", RELEASE, "--namespace", NAMESPACE, *given, *flags))
    values = ["--set", f"settings.services[0].processors[0]={TRIVIAL}", "--set-file", f"gateway={file}"]
    if tls:
        values += ["--set", "tls.enabled=true", "--set", "tls.secretName=trivial-tls"]
    run = helm("template", RELEASE, CHART, "--namespace", NAMESPACE, *values)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_requests_pass_the_processor(own_launcher, names, upstream, authority, tmp_path, tls):
    text = chart(tmp_path, tls=tls)
    pair = authority.server(f"DNS:{HOST}")
    pods = Pods(own_launcher, names, list(yaml.safe_load_all(text)), {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
    gateway = EnvoyGateway(own_launcher, upstream)
    ca = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "processor-ca", "namespace": NAMESPACE},
        "data": {"ca.crt": authority.certificate.read_text()},
    }
    gateway.write("ca.yaml", [ca])
    gateway.write("chart.yaml", text)
    for _ in range(2):
        pods.start()
    gateway.start()
    try:
        wait_for(processed, "a response that was processed", gateway.check_alive, START)
        check_health_is_seen(gateway.statistics, f"/{NAMESPACE}/{RELEASE}/extproc/0", 2)

        # A second takes over: nothing is lost, and nothing passes unprocessed.
        replace_one_under_load(pods)

        # Without the processor requests fail, or pass, as the policy says.
        pods.end_all()
        wait_for(failed, "requests to fail without the processor", gateway.check_alive)
        gateway.write("chart.yaml", chart(tmp_path, "--failure-mode-allow", tls=tls))
        wait_for(unprocessed, "requests to pass without the processor", gateway.check_alive)
        pods.start()
        wait_for(processed, "the processor to be asked again", gateway.check_alive)
    finally:
        gateway.stop()
        pods.forget()
