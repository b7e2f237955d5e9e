"""scripts/check_layers.py on a small tree: what it must find, one mistake at a time, and that it finds nothing without one."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_layers.py"
TREE = {
    "include/extproc/body.h": "#include <string>\n",
    "include/extproc/async.h": '#include <boost/asio.hpp>\n#include "extproc/body.h"\n',
    "src/wire/reader.cc": '#include "wire/reader.h"\n\n#include <protozero/pbf_reader.hpp>\n',
    "src/wire/reader.h": '#include <cstdint>\n#include "extproc/body.h"\n',
    "src/server/socket.cc": '#include <sys/socket.h>\n#include <mutex>\n#include "extproc/async.h"\n#include "wire/reader.h"\n',
    "src/CMakeLists.txt": "foreach(layer IN ITEMS wire)\n  add_subdirectory(${layer})\nendforeach()\nadd_subdirectory(server)\n",
    "scripts/layers.txt": "# what\nextproc | | boost/asio\nwire | extproc | protozero\nserver | extproc wire | system threads\n"
    "with a library: extproc/async.h\n",
    "docs/architecture.md": "# Page\n\n| folder | may include | what |\n|---|---|---|\n| `include/extproc/` | | a |\n"
    "| `src/wire/` | `extproc` | b |\n| `src/server/` | `extproc`, `wire` | c |\n\nText\n",
}

# The file, the text that is replaced in it ("" for a new file), what stands there instead, and what is said then.
MISTAKES: dict[str, tuple[str, str, str, list[str]]] = {
    "arrow": (
        "src/wire/reader.cc",
        "#include <protozero",
        '#include "server/socket.h"\n#include <protozero',
        [
            'src/wire/reader.cc:3: "server/socket.h": wire may not include server, only extproc: move what is needed to where it'
            " may be included, or hand it in; if the layers change, change line 3 of scripts/layers.txt"
        ],
    ),
    "arrow_in_angle_brackets": (
        "src/wire/reader.h",
        "#include <cstdint>",
        "#  include <server/socket.h>",
        ["src/wire/reader.h:1: <server/socket.h>: wire may not include server, only extproc"],
    ),
    "library": (
        "src/wire/reader.h",
        "#include <cstdint>",
        "#include <boost/asio/buffer.hpp>",
        ["src/wire/reader.h:1: <boost/asio/buffer.hpp>: wire may not include boost/asio, only protozero"],
    ),
    "system": (
        "src/wire/reader.h",
        "<cstdint>",
        "<unistd.h>",
        ["src/wire/reader.h:1: <unistd.h>: wire may not include system, only protozero"],
    ),
    "thread": (
        "src/wire/reader.h",
        "<cstdint>",
        "<condition_variable>",
        ["src/wire/reader.h:1: <condition_variable>: wire may not include threads, only protozero"],
    ),
    "include_without_folder": (
        "src/wire/reader.cc",
        '"wire/reader.h"',
        '"reader.h"',
        ['src/wire/reader.cc:1: "reader.h": no folder of scripts/layers.txt: name the file from src/ or include/'],
    ),
    "unknown_folder": (
        "src/grpc/call.cc",
        "",
        '#include "wire/reader.h"\n',
        [
            "src/grpc/: no line in scripts/layers.txt: add one, behind the folders that it includes, and a row to"
            " docs/architecture.md"
        ],
    ),
    "unused_arrow": (
        "src/server/socket.cc",
        '#include "wire/reader.h"\n',
        "",
        ["scripts/layers.txt:4: server may include wire, and no source of it does: remove it from the line"],
    ),
    "unused_library": (
        "src/server/socket.cc",
        "#include <mutex>\n",
        "",
        ["scripts/layers.txt:4: server may include threads, and no source of it does: remove it from the line"],
    ),
    "folder_that_moved": (
        "scripts/layers.txt",
        "with a",
        "grpc | |\nwith a",
        [
            "scripts/layers.txt:5: there are no sources in src/grpc/: remove the line, or name where they are now",
            "docs/architecture.md: no row for `src/grpc/`",
            "src/CMakeLists.txt: adds wire server; in the order of scripts/layers.txt it is wire server grpc",
        ],
    ),
    "order": (
        "scripts/layers.txt",
        "wire | extproc | protozero\nserver | extproc wire | system threads\n",
        "server | extproc wire | system threads\nwire | extproc | protozero\n",
        [
            "scripts/layers.txt:3: server includes wire, which stands below it: turn the arrow round, or move the line; if"
            " neither can be, add `why server -> wire: <reason>`",
            "docs/architecture.md: the rows are not in the order of scripts/layers.txt: extproc server wire",
            "src/CMakeLists.txt: adds wire server; in the order of scripts/layers.txt it is server wire",
        ],
    ),
    "reason_for_nothing": (
        "scripts/layers.txt",
        "with a",
        "why wire -> server: once\nwith a",
        ["scripts/layers.txt:5: a reason for wire -> server, which no line has: remove it"],
    ),
    "line_that_is_none": (
        "scripts/layers.txt",
        "with a",
        "wire: extproc\nwith a",
        ["scripts/layers.txt:5: not understood"],
    ),
    "public_header_with_a_library": (
        "include/extproc/body.h",
        "<string>",
        "<boost/asio/buffer.hpp>",
        [
            "include/extproc/body.h: needs boost/asio, itself or through what it includes: a public header needs the standard"
            " library alone; if this one is another, name it behind `with a library:` in scripts/layers.txt"
        ],
    ),
    "public_header_through_another": (
        "include/extproc/body.h",
        "<string>",
        "<extproc/async.h>",
        ["include/extproc/body.h: needs boost/asio, itself or through what it includes"],
    ),
    "public_header_without_its_library": (
        "scripts/layers.txt",
        "extproc/async.h",
        "extproc/async.h extproc/body.h",
        ["scripts/layers.txt:5: extproc/body.h needs no library: remove it from the line"],
    ),
    "page": (
        "docs/architecture.md",
        "`extproc`, `wire`",
        "`extproc`",
        ["docs/architecture.md:7: scripts/layers.txt has other includes for server: write `extproc`, `wire`"],
    ),
    "row_of_no_folder": (
        "docs/architecture.md",
        "\nText",
        "| `src/grpc/` | | d |\n\nText",
        ["docs/architecture.md:8: scripts/layers.txt has no line for grpc: remove the row"],
    ),
    "page_without_table": (
        "docs/architecture.md",
        "may include",
        "includes",
        ["docs/architecture.md: no table with the columns `folder` and `may include`"],
    ),
    "build": (
        "src/CMakeLists.txt",
        "add_subdirectory(server)\n",
        "",
        ["src/CMakeLists.txt: adds wire; in the order of scripts/layers.txt it is wire server"],
    ),
}


def check(files: dict[str, str]) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)
        return run.returncode, run.stderr


class CheckLayers(unittest.TestCase):
    def test_finds_nothing_where_nothing_is_wrong(self) -> None:
        self.assertEqual(check(TREE), (0, ""))

    def test_finds_each_mistake_and_nothing_else(self) -> None:
        for mistake, (file, old, new, said) in MISTAKES.items():
            with self.subTest(mistake):
                before = TREE.get(file, "")
                self.assertEqual(before.count(old), 1 if old else 1 + len(before))
                status, errors = check(TREE | {file: before.replace(old, new, 1)})
                self.assertEqual(status, 1)
                lines = errors.splitlines()
                self.assertEqual(len(lines), len(said), errors)
                for line, start in zip(lines, said, strict=True):
                    self.assertTrue(line.startswith("error: " + start), f"{line}\nis not\n{start}")

    def test_a_reason_allows_an_include_of_what_stands_below(self) -> None:
        server_first = {
            "scripts/layers.txt": "extproc | | boost/asio\nserver | extproc wire | system threads\nwire | extproc | protozero\n"
            "with a library: extproc/async.h\nwhy server -> wire: a test\n",
            "docs/architecture.md": "| folder | may include |\n|---|---|\n| `include/extproc/` | |\n"
            "| `src/server/` | `extproc`, `wire` |\n| `src/wire/` | `extproc` |\n",
            "src/CMakeLists.txt": "foreach(layer IN ITEMS server wire)\n  add_subdirectory(${layer})\nendforeach()\n",
        }
        self.assertEqual(check(TREE | server_first), (0, ""))

    def test_a_folder_without_sources_is_no_project(self) -> None:
        status, errors = check({name: text for name, text in TREE.items() if name.endswith((".txt", ".md"))})
        self.assertEqual(status, 1)
        self.assertIn("is this the project's folder?", errors)


if __name__ == "__main__":
    unittest.main()
