"""What bench/run.py takes for options, in which order servers are measured, and what becomes of figures: of two trees, of TLS, of
processors of examples/production."""

import contextlib
import io
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "integration")]

from lib import beside, openssl, plan, servers  # noqa: E402
from lib.errors import BenchError, Missing  # noqa: E402
from lib.goals import GOALS  # noqa: E402
from lib.options import parse  # noqa: E402
from lib.results import Results  # noqa: E402
from lib.sample import Sample  # noqa: E402
from lib.statistics import percentile  # noqa: E402

SOURCE, PROGRAM = "bench/extproc/main.cc", "build/release/bench/extproc/bench_extproc"


def tree(folder: str, *files: str) -> Path:
    for name in files:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Path(folder).resolve()


def refusal(*arguments: str) -> str:
    """What is said of options that make no sense."""
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            parse("", list(arguments))
    except SystemExit as end:
        assert end.code == 2, end.code
        return errors.getvalue().partition("error: ")[2].strip()
    return "taken"


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(mock.patch.dict("os.environ", {"QUICK": ""}))


class Options(Folder):
    def test_all_servers_and_measurements_without_options(self) -> None:
        options = parse("", [])
        self.assertEqual([server.name for server in options.servers][:2], ["extproc", "nghttp2"])
        self.assertEqual(options.only, list(plan.MEASUREMENTS))
        self.assertEqual(options.out, ROOT / "build/bench/results")
        self.assertFalse(options.quick)

    def test_servers_by_name(self) -> None:
        self.assertEqual([server.name for server in parse("", ["--servers", "tonic,extproc"]).servers], ["extproc", "tonic"])
        self.assertTrue(refusal("--servers", "extproc,rust").startswith("--servers: there is no rust, only extproc, nghttp2"))

    def test_a_tree_beside_takes_the_place_of_the_peers(self) -> None:
        other = tree(self.folder, SOURCE, PROGRAM)
        with mock.patch.dict("os.environ", {"QUICK": "1"}):
            options = parse("", ["--beside", self.folder])
        self.assertTrue(options.quick)
        self.assertEqual(options.beside, other)
        self.assertEqual([server.name for server in options.servers], ["extproc", "beside"])
        self.assertEqual(options.servers[1].build(), [other / PROGRAM])
        self.assertEqual(options.only, ["direct", "envoy", "bodies", "memory", "growth"])
        self.assertEqual(options.out, ROOT / "build/bench/beside")

    def test_a_tree_beside_with_some_measurements_and_a_folder(self) -> None:
        tree(self.folder, SOURCE, PROGRAM)
        options = parse("", ["--beside", self.folder, "--only", "bodies", "--only", "direct", "--out", "/tmp/there"])
        self.assertEqual((options.only, options.out), (["bodies", "direct"], Path("/tmp/there")))

    def test_no_tree_beside(self) -> None:
        missing = Path(self.folder).resolve() / "missing"
        self.assertEqual(
            refusal("--beside", str(missing)),
            f"argument --beside: there is no folder {missing}: name a clone of extproc with its build folder",
        )
        other = tree(self.folder)
        self.assertEqual(
            refusal("--beside", self.folder),
            f"argument --beside: {other} is not a tree of extproc, it has no {SOURCE}: name the top of a clone",
        )
        tree(self.folder, SOURCE)
        said = refusal("--beside", self.folder)
        self.assertIn(f"{other} has no {PROGRAM}; to build it: cd {other} && make build && ", said)
        self.assertTrue(said.endswith("--target bench_extproc"), said)

    def test_what_makes_no_sense_with_a_tree_beside(self) -> None:
        tree(self.folder, SOURCE, PROGRAM)
        for arguments, said in (
            (("--record",), "--record writes down how extproc compares with its peers: not with --beside"),
            (("--servers", "extproc"), "--beside compares the servers of two trees, and no others: not with --servers"),
            (
                ("--only", "direct", "--only", "six"),
                "--only six does not compare two trees: with --beside it is direct, envoy, bodies, memory, growth",
            ),
        ):
            with self.subTest(arguments):
                self.assertEqual(refusal("--beside", self.folder, *arguments), said)


class Order(unittest.TestCase):
    def test_a_pair_alternates(self) -> None:
        self.assertEqual(["".join(plan.order(turn, ["a", "b"])) for turn in range(4)], ["ab", "ba", "ba", "ab"])

    def test_each_server_begins_and_ends_equally_often(self) -> None:
        for names in ("a", "ab", "abc", "abcdef"):
            rounds = [plan.order(turn, list(names)) for turn in range(2 * len(names))]
            with self.subTest(names):
                self.assertEqual(Counter(each[0] for each in rounds), Counter(names * 2))
                self.assertEqual(Counter(each[-1] for each in rounds), Counter(names * 2))
                self.assertTrue(all(sorted(each) == list(names) for each in rounds))

    def test_no_servers(self) -> None:
        self.assertEqual(plan.order(1, []), [])


class Tls(Folder):
    def verdicts(self, samples: list[Sample]) -> list[str]:
        return [goal.check(Results(samples)).verdict for goal in GOALS if goal.text.startswith("TLS: ")]

    def samples(self, more_us: float, grpcpp_us: float, more_p50: float, kib: float) -> list[Sample]:
        """Rounds between which the machine's speed changes, so that only pairs tell; one of them has no pair."""
        found = [Sample("tls", "connections", plan.TLS_OURS, 0, {"kib_per_connection": kib})]
        for turn, slow in enumerate((0.0, 50.0, 100.0)):
            cpu, p50 = 2.0 + slow, 250.0 + slow
            found += [
                Sample("tls", "direct", plan.TLS_CLEAR, turn, {"cpu_us_per_stream": cpu}),
                Sample("tls", "direct", plan.TLS_OURS, turn, {"cpu_us_per_stream": cpu + more_us}),
                Sample("tls", "direct", plan.TLS_GRPCPP, turn, {"cpu_us_per_stream": (cpu + more_us) * grpcpp_us}),
                Sample("tls", "tcp c1", plan.TLS_CLEAR, turn, {"p50_us": p50}),
                Sample("tls", "tcp c1", plan.TLS_OURS, turn, {"p50_us": p50 + more_p50}),
            ]
        found.append(Sample("tls", "direct", plan.TLS_OURS, 3, {"cpu_us_per_stream": 9_000.0}))
        return found

    def test_goals(self) -> None:
        self.assertEqual(self.verdicts(self.samples(1.25, 16, 7, 39)), ["reached"] * 4)
        self.assertEqual(self.verdicts(self.samples(1.75, 11, 9, 41)), ["NOT REACHED"] * 4)
        self.assertEqual(self.verdicts([]), ["not measured"] * 4)

    def test_differences_are_of_pairs(self) -> None:
        found = Results(self.samples(1.25, 16, 7, 39)).difference("tls", "direct", plan.TLS_OURS, plan.TLS_CLEAR, "cpu_us_per_stream")
        self.assertEqual((found.value, found.low, found.high, found.count), (1.25, 1.25, 1.25, 3))

    def test_a_build_without_tls_is_told(self) -> None:
        cache = Path(self.folder, "CMakeCache.txt")
        with mock.patch.object(servers, "PROGRAMS", Path(self.folder)):
            cache.write_text("EXTPROC_BUILD_BENCH:BOOL=ON\nEXTPROC_TLS:BOOL=OFF\n")
            with self.assertRaisesRegex(Missing, "^the build is without TLS: cmake --preset release -DEXTPROC_TLS=ON, then "):
                servers.build_extproc_tls()
            cache.write_text("EXTPROC_TLS:BOOL=ON\n")
            with mock.patch.object(servers, "cmake_target", return_value=["built"]):
                self.assertEqual(servers.build_extproc_tls(), ["built"])


class Production(unittest.TestCase):
    def verdicts(self, log_us: float, beyond_us: float, first_us: float) -> list[str]:
        samples = []
        for turn in range(3):
            samples.append(Sample("production", "CallLog", "production.CallLog", turn, {"added_us": log_us}))
            for algorithm in ("RS256", "ES256"):
                samples.append(Sample("production", f"JwtAuth, {algorithm}", "production.JwtAuth", turn, {"beyond_verify_us": beyond_us}))
            first = {"added_first_p50_us": first_us, "added_first_p99_us": first_us}
            samples.append(Sample("gateway", "tcp c1", plan.GATEWAY, turn, first))
        return [goal.check(Results(samples)).verdict for goal in GOALS if goal.text.startswith(("CallLog", "JwtAuth", "AiGateway"))]

    def test_goals(self) -> None:
        self.assertEqual(self.verdicts(0.9, 14, 900), ["reached"] * 5)
        self.assertEqual(self.verdicts(1.1, 16, 1100), ["NOT REACHED"] * 5)

    def test_what_openssl_says_of_a_signature(self) -> None:
        printed = "+R1:1500:2048:1.00\n+R2:50000:2048:1.00\n+F2:2:2048:1500.000000:50000.000000\n"
        self.assertEqual(openssl.verify_us_of(printed, "RS256"), 20)
        with self.assertRaisesRegex(BenchError, "openssl speed tells nothing of ES256"):
            openssl.verify_us_of(printed, "ES256")

    def test_percentiles_are_of_the_values(self) -> None:
        values = [float(value) for value in range(100, 0, -1)]
        self.assertEqual((percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)), (50, 99, 7))


class Ratios(Folder):
    def rows(self, samples: list[Sample]) -> list[list[str]]:
        return beside.table(Results(samples), Path(self.folder)).rows

    def test_each_load_has_the_ratios_of_its_pairs(self) -> None:
        samples = []
        for turn, (cpu, rate) in enumerate(((1.0, 4.0), (2.0, 4.0), (4.0, 4.0))):
            samples += [
                Sample("direct", "h2load", "extproc", turn, {"cpu_us_per_stream": cpu, "streams_per_s": rate}),
                Sample("direct", "h2load", "beside", turn, {"cpu_us_per_stream": 4.0, "streams_per_s": 2.0}),
            ]
        # A round that one of them has not.
        samples.append(Sample("direct", "h2load", "extproc", 3, {"cpu_us_per_stream": 99.0, "streams_per_s": 99.0}))
        samples += [
            Sample("memory", "2000 streams", "extproc", 0, {"bytes_per_stream": 300.0}),
            Sample("memory", "2000 streams", "beside", 0, {"bytes_per_stream": 400.0}),
        ]
        self.assertEqual(
            self.rows(samples),
            [
                ["direct, h2load", "3", "0.5 [0.25, 1]", "2 [2, 2]", "-"],
                ["memory, 2000 streams", "1", "-", "-", "0.75"],
            ],
        )

    def test_what_one_server_has_alone_is_no_row(self) -> None:
        self.assertEqual(self.rows([Sample("direct", "h2load", "extproc", 0, {"cpu_us_per_stream": 1.0})]), [])

    def test_memory_is_in_pairs(self) -> None:
        self.assertEqual(plan.FULL.memory_rounds, 1)
        self.assertGreater(beside.scale(plan.FULL).memory_rounds, 1)
        self.assertEqual(beside.scale(plan.QUICK).growth_servers, ("extproc", "beside"))


if __name__ == "__main__":
    unittest.main()
