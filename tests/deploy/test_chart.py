"""What deploy/chart writes, for several sets of values: read by helm, by Kubernetes' schemas, and by the command that serves it."""

import json
import subprocess

import kubernetes_validate
import pytest
import yaml

from harness import paths, schemas
from harness.command import config, extproc
from helm import CASES, CHART, NAMESPACE, RELEASE, helm, only, rendered, template, written

KUBERNETES = "1.36"
# What Kubernetes itself has no schema for. The Prometheus operator's is in no package, and is looked at by hand.
CUSTOM = {"Certificate", "Backend", "EnvoyExtensionPolicy", "ClientTrafficPolicy", "EnvoyFilter"}
OPERATOR = {"ServiceMonitor", "PrometheusRule"}
TLS = ("--set", "tls.enabled=true", "--set", "tls.secretName=processor-tls")
TRIVIAL = "examples.TrivialExtProcService"
SERVED = ("--set", f"settings.services[0].processors[0]={TRIVIAL}")


def container(resources: list[dict]) -> dict:
    return only(resources, "Deployment")["spec"]["template"]["spec"]["containers"][0]


def envoy_gateway(*flags, service: str = TRIVIAL) -> str:
    return config("--format", "envoy-gateway", "-s", service, "--cluster-name", RELEASE, "--namespace", NAMESPACE, *flags)


def istio(*flags, service: str = TRIVIAL) -> str:
    address = f"{RELEASE}.{NAMESPACE}.svc.cluster.local:50051"
    return config("--format", "istio", "-s", service, "--cluster-name", RELEASE, "--address", address, *flags)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_helm_and_kubernetes_take_it(case):
    lint = helm("lint", "--strict", CHART, "--values", case)
    assert lint.returncode == 0, lint.stdout + lint.stderr
    resources = rendered("--values", case)
    assert len(resources) >= 4
    for resource in resources:
        assert resource["metadata"]["namespace"] == NAMESPACE
        if resource["kind"] in CUSTOM:
            schemas.validate(resource)
        elif resource["kind"] not in OPERATOR:
            kubernetes_validate.validate(resource, KUBERNETES, strict=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_command_takes_its_arguments_and_settings(case, tmp_path):
    resources = rendered("--values", case)
    settings = written(tmp_path, only(resources, "ConfigMap", "-settings")["data"]["settings.yaml"], "settings.yaml")
    arguments = container(resources)["args"]
    assert arguments[0] == "serve"
    arguments = [part.replace("/etc/extproc/settings/settings.yaml", str(settings)) for part in arguments]
    plain = [part for part in arguments if not part.startswith("--tls-")]
    run = extproc(*plain, "--check-settings", "--module-path", paths.build_dir())
    assert run.returncode == 0, run.stderr
    # Files of certificates are not there; every other flag of TLS is read before them.
    if plain != arguments:
        run = extproc(*arguments, "--check-settings", "--module-path", paths.build_dir())
        assert run.returncode != 0 and "/etc/extproc/tls/tls.crt" in run.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_it_is_hardened_and_replaced_without_a_gap(case):
    resources = rendered("--values", case)
    deployment = only(resources, "Deployment")["spec"]
    pod = deployment["template"]["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert pod["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    one = container(resources)
    assert one["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert pod["automountServiceAccountToken"] is False
    grace = next(int(part.partition("=")[2]) for part in one["args"] if part.startswith("--grace-period="))
    assert pod["terminationGracePeriodSeconds"] > grace
    assert all(spread["labelSelector"]["matchLabels"] == deployment["selector"]["matchLabels"] for spread in pod["topologySpreadConstraints"])
    labels = deployment["template"]["metadata"]["labels"].items()
    for kind in ("Service", "Deployment", "PodDisruptionBudget"):
        selector = only(resources, kind)["spec"]["selector"]
        assert selector.get("matchLabels", selector).items() <= labels
    # kubelet's gRPC probe speaks no TLS.
    for probe in ("startupProbe", "readinessProbe"):
        assert ("grpc" in one[probe]) == (not any(part.startswith("--tls-") for part in one["args"]))
    ports = {port["name"]: port["containerPort"] for port in one["ports"]}
    assert one["readinessProbe"].get("grpc", {}).get("port", ports["grpc"]) == ports["grpc"]
    assert one["readinessProbe"].get("httpGet", {}).get("port", "metrics") == "metrics"
    assert {port["targetPort"] for port in only(resources, "Service")["spec"]["ports"]} == set(ports)


def test_replicas_are_the_autoscalers():
    assert "replicas" not in only(rendered("--set", "autoscaling.enabled=true"), "Deployment")["spec"]
    assert only(rendered(), "Deployment")["spec"]["replicas"] == 2


def test_other_settings_are_other_pods():
    def annotations(*flags) -> dict:
        return only(rendered(*flags), "Deployment")["spec"]["template"]["metadata"]["annotations"]

    assert annotations() == annotations("--set", "replicas=5")
    assert annotations() != annotations("--set", "settings.log_level=DEBUG")


def test_rules_and_dashboard_are_those_of_the_project():
    resources = rendered("--values", CHART / "ci" / "tls.yaml")
    rules = yaml.safe_load((paths.REPOSITORY / "deploy" / "prometheus" / "rules.yaml").read_text())
    assert only(resources, "PrometheusRule")["spec"] == rules
    dashboard = json.loads((paths.REPOSITORY / "deploy" / "grafana" / "extproc.json").read_text())
    assert json.loads(only(resources, "ConfigMap", "-dashboard")["data"]["extproc.json"]) == dashboard
    monitor = only(resources, "ServiceMonitor")
    service = only(resources, "Service")
    # The rules are of jobs whose names begin so.
    assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]].startswith("extproc")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}


@pytest.mark.parametrize("service", [TRIVIAL, "examples.DigestExtProcService", "examples.EchoExtProcService"])
@pytest.mark.parametrize("written_by", [envoy_gateway, istio])
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_for_the_gateway_it_has_what_the_command_writes(tmp_path, written_by, service, tls):
    text = written_by(*(("--tls", "--tls-ca", "processor-ca") if tls else ()), service=service)
    run = template("--set-file", f"gateway={written(tmp_path, text)}", *(TLS if tls else ()))
    assert run.returncode == 0, run.stderr
    # With its comments; helm sorts, and puts its own line before each.
    assert all(part.strip() in run.stdout for part in text.split("---\n"))
    expected = [document for document in yaml.safe_load_all(text) if document]
    kinds = {document["kind"] for document in expected}
    found = [one for one in yaml.safe_load_all(run.stdout) if one and one["kind"] in kinds]
    assert sorted(found, key=str) == sorted(expected, key=str)
    for document in expected:
        schemas.validate(document)


def test_the_address_is_that_of_the_service():
    backend = next(one for one in yaml.safe_load_all(envoy_gateway()) if one["kind"] == "Backend")
    service = only(rendered(), "Service")
    host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
    assert backend["spec"]["endpoints"] == [{"fqdn": {"hostname": host, "port": service["spec"]["ports"][0]["port"]}}]


def test_a_certificate_is_for_that_address():
    names = only(rendered("--values", CHART / "ci" / "tls.yaml"), "Certificate")["spec"]["dnsNames"]
    backend = next(one for one in yaml.safe_load_all(envoy_gateway("--tls", "--tls-ca", "ca")) if one["kind"] == "Backend")
    assert backend["spec"]["tls"]["sni"] in names


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--set", "replica=3"], "additional properties 'replica' not allowed"),
        (["--set", "tls.enable=true"], "additional properties 'enable' not allowed"),
        (["--set", "replicas=two"], "got string, want integer"),
        (["--set", "settings.grace_perod=3"], "additional properties 'grace_perod' not allowed"),
        (["--set", "settings.grace_period=3"], "additional properties 'grace_period' not allowed"),
        (["--set", "settings.services[0].port=3"], "additional properties 'port' not allowed"),
        (["--set", "image.digest=latest"], "does not match pattern"),
        (["--set", "tls.enabled=true"], "name the Secret with certificate and key in tls.secretName"),
        (["--set", "tls.certManager.enabled=true"], "set both"),
        (["--set", "tls.enabled=true,tls.certManager.enabled=true"], "name the issuer in tls.certManager.issuerRef.name"),
        (["--set", "autoscaling.enabled=true,autoscaling.minReplicas=20"], "autoscaling.minReplicas is more than"),
        (["--set", "drainDelay=30"], "drainDelay is 30, which is not less than gracePeriod, 30"),
        (["--set", "metricsPort=50051"], "metricsPort is 50051, which one of the services has"),
    ],
)
def test_wrong_values_are_told(flags, expected):
    run = template(*flags)
    assert run.returncode != 0 and expected in run.stderr, run.stderr


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        (lambda: envoy_gateway().replace(RELEASE, "other"), [], "gateway has no address of this Service (processor.edge.svc)"),
        (lambda: "processor.edge.svc: [", [], "gateway is no YAML of a resource"),
        (lambda: envoy_gateway() + "---\nkind: Secret\n", [], "gateway has a Secret, which `extproc config` does not write"),
        (envoy_gateway, TLS, "tls.enabled is true, and the Backend of gateway is not for that"),
        (istio, TLS, "tls.enabled is true, and the EnvoyFilter of gateway is not for that"),
        (lambda: envoy_gateway("--tls"), [], "tls.enabled is false, and the Backend of gateway is not for that"),
        (lambda: envoy_gateway("--tls"), [*TLS, "--set", "tls.clients.required=true"], "gateway/issues/9726"),
    ],
)
def test_what_is_not_for_this_release_is_told(tmp_path, text, flags, expected):
    run = template("--set-file", f"gateway={written(tmp_path, text())}", *flags)
    assert run.returncode != 0 and expected in run.stderr, run.stderr


def test_the_package_has_all(tmp_path):
    """Not only the folder."""
    run = helm("package", CHART, "--destination", tmp_path)
    assert run.returncode == 0, run.stderr
    (package,) = tmp_path.glob("extproc-*.tgz")
    values = ["--namespace", NAMESPACE, "--values", CHART / "ci" / "tls.yaml"]
    assert helm("template", RELEASE, package, *values).stdout == helm("template", RELEASE, CHART, *values).stdout


def test_its_version_is_the_projects():
    version = subprocess.run([paths.built("extproc"), "--version"], capture_output=True, text=True, check=True).stdout
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] in version and chart["version"] == chart["appVersion"]
