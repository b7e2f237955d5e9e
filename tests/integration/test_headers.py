"""Header values of every kind, through the codec both ways."""

import pytest

from harness.lab import STYLES

ANY_BYTES = bytes(range(0x80, 0x100))
VALUES = [
    pytest.param([b""], id="empty"),
    pytest.param([b"a", b"b", b"a"], id="repeated"),
    pytest.param([b"v" * 8192], id="8-KiB"),
    pytest.param([ANY_BYTES], id="not-UTF-8"),
    pytest.param(["漢é".encode()], id="UTF-8"),
    pytest.param([b"a, b;c=\"d\"\t e"], id="punctuation"),
]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("direction", ["request", "response"])
def test_values_that_arrive(lab, direction, values):
    name = "x-value"
    do = [f"{direction}_headers hex {name}"]
    if direction == "request":
        headers = [(name, value) for value in values]
        headers.append(("x-reply-request-header", f"x-hex-{name}"))
    else:
        headers = [("x-reply-header", f"{name}: ".encode() + value) for value in values]
    response = lab.request("Scripted", "buffered", headers=headers, do=do)
    assert response.status == 200
    assert response.get(f"x-hex-{name}") == "".join(value.hex() + "," for value in values)


@pytest.mark.parametrize("values", VALUES)
def test_values_that_are_set(lab, values):
    do = [f"response_headers unhex x-out{index}={value.hex()}" for index, value in enumerate(values)]
    response = lab.request("Scripted", "buffered", do=do)
    assert response.status == 200
    for index, value in enumerate(values):
        assert response.all(f"x-out{index}") == [value]


@pytest.mark.parametrize("style", STYLES)
def test_sets_appends_and_removes(lab, style):
    headers = [("x-reply-header", line) for line in ("x-a: 1", "x-a: 2", "x-b: 1", "x-c: 1", "x-d: 1")]
    do = [
        "response_headers set x-a=new",
        "response_headers append x-b=2",
        "response_headers remove x-c",
        "response_headers append x-e=1",
        "response_headers append x-e=2",
        "response_headers set X-Upper=u",
        "response_headers set x-empty=",
    ]
    response = lab.request(style, "buffered", headers=headers, do=do)
    expected = {"x-a": ["new"], "x-b": ["1", "2"], "x-c": [], "x-d": ["1"], "x-e": ["1", "2"], "x-upper": ["u"], "x-empty": [""]}
    assert {name: [v.decode() for v in response.all(name)] for name in expected} == expected


def test_ninety_headers(lab):
    headers = [(f"x-header-{number}", f"value {number}") for number in range(85)]
    do = ["request_headers count"]
    headers.append(("x-reply-request-header", "x-count"))
    response = lab.request("Scripted", "buffered", headers=headers, do=do)
    assert response.status == 200
    # With :method, :path and what else Envoy adds.
    assert int(response.get("x-count")) >= 90


def test_ninety_headers_are_set(lab):
    do = [f"response_headers set x-header-{number}=value {number}" for number in range(60)]
    response = lab.request("Scripted", "buffered", do=do)
    assert response.status == 200
    for number in range(60):
        assert response.get(f"x-header-{number}") == f"value {number}"
