"""A Kubernetes API server on etcd, without kubelets and controllers: it checks and keeps what it is given."""

import json
import os
import subprocess
from pathlib import Path

import yaml

from harness.processes import Launcher

TOKEN = "of-a-test"
PORT = 6443
START_TIMEOUT = 90


class Cluster:
    def __init__(self, launcher: Launcher):
        self._folder = launcher.folder / "cluster"
        self._folder.mkdir()
        etcd = launcher.start("etcd", [
            "etcd", "--data-dir", self._folder / "etcd", "--listen-client-urls", "http://127.0.0.1:2379",
            "--advertise-client-urls", "http://127.0.0.1:2379", "--listen-peer-urls", "http://127.0.0.1:2380",
        ])  # fmt: skip
        etcd.wait_until_open(2379)
        key = self._folder / "service-account.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens = self._folder / "tokens.csv"
        tokens.write_text(f"{TOKEN},tester,tester,system:masters\n")
        server = launcher.start("kube-apiserver", [
            os.environ["KUBE_APISERVER"], "--etcd-servers=http://127.0.0.1:2379", "--bind-address=127.0.0.1", f"--secure-port={PORT}",
            "--advertise-address=10.77.0.1", "--endpoint-reconciler-type=none", f"--cert-dir={self._folder}", f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount", "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
        ])  # fmt: skip
        self.kubeconfig = self._folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{PORT}", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "test", "user": {"token": TOKEN}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }))  # fmt: skip
        server.wait_for(lambda: self.kubectl("get", "--raw", "/readyz", check=False).stdout == "ok", "the API server to be ready", START_TIMEOUT)
        self._define()

    def kubectl(self, *arguments, check: bool = True, **options) -> subprocess.CompletedProcess:
        return self._run(os.environ["KUBECTL"], *arguments, check=check, **options)

    def helm(self, *arguments, check: bool = True) -> subprocess.CompletedProcess:
        return self._run(os.environ["HELM"], *arguments, check=check)

    def apply(self, *resources: dict) -> None:
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=yaml.safe_dump_all(resources))

    def get(self, kind: str, name: str, namespace: str) -> dict:
        return json.loads(self.kubectl("get", kind, name, "--namespace", namespace, "--output", "json").stdout)

    def _run(self, program: str, *arguments, check: bool, **options) -> subprocess.CompletedProcess:
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self._folder)}
        run = subprocess.run([program, *map(str, arguments)], env=env, capture_output=True, text=True, timeout=120, check=False, **options)
        assert not check or run.returncode == 0, f"{Path(program).name} {' '.join(map(str, arguments))}: {run.stderr}"
        return run

    def _define(self) -> None:
        """As the gateways' own installations do."""
        gateway, istio = (Path(os.environ[name]) for name in ("ENVOY_GATEWAY_MODULE", "ISTIO_MODULE"))
        charts = ["--set", "crds.gatewayAPI.enabled=true", "--set", "crds.envoyGateway.enabled=true"]
        written = self.helm("template", "crds", gateway / "charts" / "gateway-crds-helm", *charts).stdout
        self.kubectl("apply", "--server-side", "-f", "-", input=written)
        self.kubectl("apply", "--server-side", "-f", istio / "manifests" / "charts" / "base" / "files" / "crd-all.gen.yaml")
        self.kubectl("apply", "--server-side", "-f", Path(os.environ["SCHEMAS"]) / "certificates.yaml")
        self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
