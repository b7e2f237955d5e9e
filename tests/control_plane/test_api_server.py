"""A real API server, with the gateways' own definitions and their CEL rules, takes what the chart writes, and refuses what is wrong."""

import json

import pytest
from helm import CASES, CHART, written

from harness.command import config

TRIVIAL = "examples.TrivialExtProcService"
SERVED = ("--set", f"settings.services[0].processors[0]={TRIVIAL}")


@pytest.fixture
def namespace(cluster, request) -> str:
    name = "test-" + request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")[:40].strip("-")
    cluster.kubectl("create", "namespace", name)
    return name


def gateway(folder, namespace: str, *flags) -> list[str]:
    text = config("--format", "envoy-gateway", "-s", TRIVIAL, "--cluster-name", "trivial", "--namespace", namespace, *flags)
    return ["--set-file", f"gateway={written(folder, text)}"]


def test_install_upgrade_rollback(cluster, namespace, tmp_path):
    where = ["trivial", CHART, "--namespace", namespace]
    installed = cluster.helm("install", *where, *SERVED, *gateway(tmp_path, namespace))
    assert f"at trivial.{namespace}.svc:50051" in installed.stdout
    policy = cluster.get("envoyextensionpolicy", "trivial", namespace)
    assert policy["spec"]["extProc"][0]["failOpen"] is False
    assert cluster.get("deployment", "trivial", namespace)["spec"]["replicas"] == 2

    cluster.helm("upgrade", *where, *SERVED, *gateway(tmp_path, namespace, "--failure-mode-allow"), "--set", "replicas=3,settings.log_level=DEBUG")
    assert cluster.get("envoyextensionpolicy", "trivial", namespace)["spec"]["extProc"][0]["failOpen"] is True
    assert cluster.get("deployment", "trivial", namespace)["spec"]["replicas"] == 3
    assert "DEBUG" in cluster.get("configmap", "trivial-settings", namespace)["data"]["settings.yaml"]

    cluster.helm("rollback", "trivial", "1", "--namespace", namespace)
    assert cluster.get("envoyextensionpolicy", "trivial", namespace)["spec"] == policy["spec"]
    assert cluster.get("deployment", "trivial", namespace)["spec"]["replicas"] == 2
    history = json.loads(cluster.helm("history", "trivial", "--namespace", namespace, "--output", "json").stdout)
    assert [one["status"] for one in history] == ["superseded", "superseded", "deployed"]

    cluster.helm("uninstall", "trivial", "--namespace", namespace)
    assert cluster.kubectl("get", "deployment,service,backend,envoyextensionpolicy,pdb", "--namespace", namespace).stdout == ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_it_takes_each_set_of_values(cluster, case):
    # The Prometheus operator's definitions are in no package.
    without = ["--set", "serviceMonitor.enabled=false", "--set", "prometheusRule.enabled=false"]
    name = f"values-{case.stem}"
    cluster.helm("install", name, CHART, "--namespace", name, "--create-namespace", "--values", case, *without)
    cluster.helm("upgrade", name, CHART, "--namespace", name, "--values", case, *without, "--set", "gracePeriod=7")
    assert (
        cluster.get("deployment", "trivial" if case.stem == "clear" else name, name)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        == 17
    )


def test_it_takes_what_istio_reads(cluster, namespace, tmp_path):
    address = f"trivial.{namespace}.svc.cluster.local:50051"
    text = config("--format", "istio", "-s", TRIVIAL, "--cluster-name", "trivial", "--address", address, "--namespace", namespace)
    cluster.helm("install", "trivial", CHART, "--namespace", namespace, *SERVED, "--set-file", f"gateway={written(tmp_path, text)}")
    assert len(cluster.get("envoyfilter", "trivial", namespace)["spec"]["configPatches"]) == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("group: gateway.networking.k8s.io", "group: example.com"), "this policy can only have a targetRefs[*].group of gateway.networking.k8s.io"),
        (("kind: Gateway", "kind: Service"), "this policy can only have a targetRefs[*].kind of"),
        (("failOpen: false", "failOpen: 3"), "failOpen"),
        (("messageTimeout: 200ms", "messageTimeout: soon"), "messageTimeout"),
        (("type: GRPC", "type: HTTP"), "If Health Checker type is HTTP, http field needs to be set"),
    ],
    ids=["group", "kind", "type", "pattern", "union"],
)
def test_rules_of_gateways_count(cluster, tmp_path, change, expected):
    text = config("--format", "envoy-gateway", "-s", TRIVIAL, "--cluster-name", "trivial", "--namespace", "default")
    assert change[0] in text
    file = written(tmp_path, text.replace(*change, 1))
    run = cluster.helm("install", "wrong", CHART, "--set", "fullnameOverride=trivial", *SERVED, "--set-file", f"gateway={file}", check=False)
    cluster.helm("uninstall", "wrong", check=False)
    assert run.returncode != 0 and expected in run.stderr, run.stderr


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--set", "resources.requests.cpu=many"], "quantities must match"),
        (["--set", "env[0].name=A=B"], "spec.template.spec.containers[0].env[0].name"),
        (["--set", "networkPolicy.envoys[0].ipBlock.cidr=here"], "ipBlock.cidr"),
        (["--set", "podLabels.app=a b"], "spec.template.labels"),
    ],
)
def test_wrong_values_are_refused(cluster, flags, expected):
    run = cluster.helm("install", "wrong", CHART, *SERVED, *flags, check=False)
    cluster.helm("uninstall", "wrong", check=False)
    assert run.returncode != 0 and expected in run.stderr, run.stderr
