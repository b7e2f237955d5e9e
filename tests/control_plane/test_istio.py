"""A real pilot of Istio takes from the API server what helm installs there, and has the real Envoy ask replicas of its Deployment."""

import pytest
import yaml
from helm import CHART
from istio import SYSTEM, Istio, routes
from pods import Pods
from scenario import START, check_health_is_seen, failed, processed, replace_one_under_load, unprocessed, wait_for

from harness.command import config
from harness.envoy_tls import Files

TRIVIAL = "examples.TrivialExtProcService"
RELEASE, NAMESPACE = "trivial", "default"
HOST = f"{RELEASE}.{NAMESPACE}.svc.cluster.local"


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "mutual-tls"])
def test_requests_pass_the_processor(own_launcher, names, cluster, upstream, authority, tmp_path, tls):
    files = Files(tmp_path, authority)
    flags = ["-s", TRIVIAL, "--cluster-name", RELEASE, "--address", f"{HOST}:50051"]
    values = ["--set", f"settings.services[0].processors[0]={TRIVIAL}"]
    secret = {}
    if tls:
        flags += files.flags()
        files.write_sds(*flags)
        values += ["--set", "tls.enabled=true,tls.secretName=trivial-tls,tls.clients.required=true,tls.clients.allowedSans={dns:first.example}"]
        pair = authority.server(f"DNS:{HOST}")
        secret = {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes(), "ca.crt": authority.certificate.read_bytes()}

    def helm(verb: str, *more) -> None:
        file = tmp_path / "trivial.yaml"
        file.write_text(config("--format", "istio", *flags, *more))
        cluster.helm(verb, RELEASE, CHART, "--namespace", NAMESPACE, *values, "--set-file", f"gateway={file}")

    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
    helm("install")
    manifest = cluster.helm("get", "manifest", RELEASE, "--namespace", NAMESPACE).stdout
    pods = Pods(own_launcher, names, list(yaml.safe_load_all(manifest)), secret)
    try:
        for _ in range(2):
            pods.start()
        istio = Istio(own_launcher, cluster)
        cluster.apply(*routes(upstream))
        wait_for(processed, "a response that was processed", istio.check_alive, START)
        check_health_is_seen(istio.statistics, RELEASE, 2)

        # A second takes over: nothing is lost, and nothing passes unprocessed.
        replace_one_under_load(pods)

        # Without the processor requests fail, or pass, as the filter says; that is taken back, too.
        pods.end_all()
        wait_for(failed, "requests to fail without the processor", istio.check_alive)
        helm("upgrade", "--failure-mode-allow")
        wait_for(unprocessed, "requests to pass without the processor", istio.check_alive)
        cluster.helm("rollback", RELEASE, "1", "--namespace", NAMESPACE)
        wait_for(failed, "requests to fail again", istio.check_alive)
        pods.start()
        wait_for(processed, "the processor to be asked again", istio.check_alive)
    finally:
        pods.forget()
        cluster.helm("uninstall", RELEASE, "--namespace", NAMESPACE)
