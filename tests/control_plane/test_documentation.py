"""The commands of docs/deploy.md, as a new user would type them; all but those that need a container engine, or a kubelet."""

import os
import re
import subprocess

from harness import paths

PAGE = paths.REPOSITORY / "docs" / "deploy.md"
# An engine, or pods that run.
NEED_A_KUBELET = ("docker build", "kubectl rollout status", "kubectl -n envoy-gateway-system port-forward", "curl")


def commands() -> list[str]:
    section = re.search(r"^## Kubernetes$(.*?)^## ", PAGE.read_text(), re.MULTILINE | re.DOTALL)[1]
    text = "\n".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    return [line for line in text.splitlines() if line]


def test_commands(cluster, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, path in (("helm", os.environ["HELM"]), ("kubectl", os.environ["KUBECTL"]), ("extproc", paths.built("extproc"))):
        (tools / name).symlink_to(path)
    # Where the folders of the project are found, and files may be written.
    (tmp_path / "deploy").symlink_to(paths.REPOSITORY / "deploy")
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "KUBECONFIG": str(cluster.kubeconfig), "HOME": str(tmp_path)}
    env["EXTPROC_MODULE_PATH"] = str(paths.build_dir())
    cluster.kubectl("create", "namespace", "istio-system", check=False)
    tried = []
    try:
        for command in commands():
            if command.startswith(NEED_A_KUBELET):
                continue
            run = subprocess.run(["bash", "-ec", command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
            assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
            tried.append(" ".join(command.split()[:2]))
        # Behind the last, it is Istio's; and what was Envoy Gateway's is gone.
        assert cluster.get("envoyfilter", "trivial", "istio-system")["spec"]["configPatches"]
        assert cluster.kubectl("get", "envoyextensionpolicy", "trivial", check=False).returncode != 0
        assert cluster.get("httproute", "echo", "default")
    finally:
        cluster.helm("uninstall", "trivial", check=False)
        cluster.kubectl("delete", "-f", paths.REPOSITORY / "deploy" / "kubernetes" / "gateway.yaml", "--wait=false", check=False)
    assert tried == ["kubectl apply", "extproc config", "helm install", "extproc config", "helm upgrade", "extproc config", "helm upgrade"]
