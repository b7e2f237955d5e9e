#!/usr/bin/env python3
"""Holds the sources' includes to scripts/layers.txt, and the documentation and the build to its order: check_layers.py [root]"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

TABLE, PAGE, BUILD = "scripts/layers.txt", "docs/architecture.md", "src/CMakeLists.txt"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
GROUPS = {
    "threads": "thread mutex shared_mutex condition_variable future semaphore latch barrier".split(),
    "files": "fstream filesystem iostream".split(),
    "system": "csignal ctime".split(),
}
SYSTEM_FOLDERS = "sys net netinet arpa linux".split()
NEUTRAL = ["cxxabi.h"]  # the compiler's own


@dataclass
class Layer:
    line: int
    folders: list[str]
    libraries: list[str]


@dataclass
class Table:
    layers: dict[str, Layer] = field(default_factory=dict)
    with_library: dict[str, int] = field(default_factory=dict)
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Include:
    file: str
    line: int
    text: str
    target: str
    is_folder: bool

    @property
    def folder(self) -> str:
        return folder_of(self.file)


def folder_of(file: str) -> str:
    """As #include names it: src/wire/x.cc is of wire, include/extproc/x.h of extproc."""
    return str(Path(file).parent).split("/", 1)[-1]


def shown(folder: str) -> str:
    return ("include/" if folder.split("/")[0] == "extproc" else "src/") + folder + "/"


def read_table(text: str, errors: list[str]) -> Table:
    table = Table()
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if line.startswith("with a library:"):
            table.with_library |= {header: number for header in line.split(":", 1)[1].split()}
        elif reason := re.fullmatch(r"why (\S+) -> ([^\s:]+): (.+)", line):
            table.reasons[reason[1], reason[2]] = number
        elif line.count("|") == 2 and len((cells := line.split("|"))[0].split()) == 1:
            table.layers[cells[0].strip()] = Layer(number, cells[1].split(), cells[2].split())
        elif line:
            errors.append(f"{TABLE}:{number}: not understood: write `folder | folders | libraries`, or as the lines around it")
    return table


def library_of(header: str) -> str | None:
    """The library or the group of headers; none for the rest of the standard library."""
    parts = header.split("/")
    if header in NEUTRAL:
        return None
    if parts[0] == "boost":
        return "boost/" + parts[1].split(".")[0]
    if len(parts) > 1:
        return "system" if parts[0] in SYSTEM_FOLDERS else parts[0]
    if group := next((name for name, headers in GROUPS.items() if header in headers), None):
        return group
    return "system" if header.endswith(".h") else header.split(".")[0] if "." in header else None


def includes_of(root: Path, path: Path, own: set[str]) -> list[Include]:
    found, file = [], str(path.relative_to(root))
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not (match := INCLUDE.match(line)):
            continue
        quote, name = match.groups()
        text = f'"{name}"' if quote == '"' else f"<{name}>"
        if quote == '"' or name.split("/")[0] in own:
            found.append(Include(file, number, text, str(Path(name).parent), True))
        elif library := library_of(name):
            found.append(Include(file, number, text, library, False))
    return found


def read_sources(root: Path) -> tuple[list[str], list[Include]]:
    paths = sorted(path for top in ("include", "src") for path in (root / top).rglob("*") if path.suffix in (".h", ".cc"))
    files = [str(path.relative_to(root)) for path in paths]
    own = {folder_of(file).split("/")[0] for file in files}
    return files, [include for path in paths for include in includes_of(root, path, own)]


def check_include(include: Include, table: Table) -> str | None:
    layer = table.layers.get(include.folder)
    if layer is None or include.target in (layer.folders if include.is_folder else layer.libraries):
        return None
    if include.is_folder and include.target == include.folder:
        return None
    where = f"{include.file}:{include.line}: {include.text}:"
    if include.is_folder and include.target not in table.layers:
        return f'{where} no folder of {TABLE}: name the file from src/ or include/, as in "wire/fields.h"'
    allowed = " ".join(layer.folders if include.is_folder else layer.libraries) or "nothing"
    return (
        f"{where} {include.folder} may not include {include.target}, only {allowed}: move what is needed to where it may be"
        f" included, or hand it in; if the layers change, change line {layer.line} of {TABLE}"
    )


def check_folders(files: list[str], table: Table) -> list[str]:
    known = {folder_of(file) for file in files}
    errors = [
        f"{shown(folder)}: no line in {TABLE}: add one, behind the folders that it includes, and a row to {PAGE}"
        for folder in sorted(known - table.layers.keys())
    ]
    return errors + [
        f"{TABLE}:{layer.line}: there are no sources in {shown(folder)}: remove the line, or name where they are now"
        for folder, layer in table.layers.items()
        if folder not in known
    ]


def check_table(includes: list[Include], table: Table) -> list[str]:
    """What the table says and no source does, and includes of what stands further down."""
    errors, order = [], list(table.layers)
    used = {(include.folder, include.target) for include in includes}
    arrows = {(name, to): layer for name, layer in table.layers.items() for to in layer.folders + layer.libraries}
    for (name, to), layer in arrows.items():
        if (name, to) not in used:
            errors.append(f"{TABLE}:{layer.line}: {name} may include {to}, and no source of it does: remove it from the line")
        elif to in order and order.index(to) > order.index(name) and (name, to) not in table.reasons:
            errors.append(
                f"{TABLE}:{layer.line}: {name} includes {to}, which stands below it: turn the arrow round, or move the line;"
                f" if neither can be, add `why {name} -> {to}: <reason>`"
            )
    return errors + [
        f"{TABLE}:{line}: a reason for {name} -> {to}, which no line has: remove it"
        for (name, to), line in table.reasons.items()
        if (name, to) not in arrows
    ]


def check_public(files: list[str], includes: list[Include], table: Table) -> list[str]:
    """Which public headers bring a library into their user's program, through others too."""
    public = [file for file in files if file.startswith("include/")]
    brings: dict[str, set[str]] = {file: set() for file in public}
    reaches: dict[str, set[str]] = {file: set() for file in public}
    for include in (include for include in includes if include.file in brings):
        if include.is_folder:
            reaches[include.file].add("include/" + include.text.strip('"<>'))
        elif include.target not in GROUPS:
            brings[include.file].add(include.target)
    for _ in public:  # as often as the longest way could be
        grown = {file: brings[file].union(*(brings.get(to, set()) for to in reaches[file])) for file in public}
        if grown == brings:
            break
        brings = grown
    errors = []
    for file in public:
        name = file.removeprefix("include/")
        if brings[file] and name not in table.with_library and "/detail/" not in name:
            errors.append(
                f"{file}: needs {' '.join(sorted(brings[file]))}, itself or through what it includes: a public header needs the"
                f" standard library alone; if this one is another, name it behind `with a library:` in {TABLE}"
            )
    return errors + [
        f"{TABLE}:{line}: {name} needs no library: remove it from the line"
        for name, line in table.with_library.items()
        if not brings.get("include/" + name)
    ]


def check_page(text: str, table: Table) -> list[str]:
    """The page's folders, and what they may include, in the order of the table."""
    rows: dict[str, tuple[int, list[str]]] = {}
    column = None
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
        if cells[0] == "folder" and "may include" in cells:
            column = cells.index("may include")
        elif column is not None and not line.startswith("|"):
            break
        elif column is not None and (name := re.fullmatch(r"`(?:src|include)/(.+)/`", cells[0])):
            rows[name[1]] = (number, re.findall(r"`([^`]+)`", cells[column]))
    if column is None:
        return [f"{PAGE}: no table with the columns `folder` and `may include`"]
    errors = [f"{PAGE}: no row for `{shown(folder)}`" for folder in table.layers if folder not in rows]
    for folder, (number, includes) in rows.items():
        if folder not in table.layers:
            errors.append(f"{PAGE}:{number}: {TABLE} has no line for {folder}: remove the row")
        elif includes != table.layers[folder].folders:
            wanted = ", ".join(f"`{name}`" for name in table.layers[folder].folders) or "nothing"
            errors.append(f"{PAGE}:{number}: {TABLE} has other includes for {folder}: write {wanted}")
    if not errors and list(rows) != list(table.layers):
        errors.append(f"{PAGE}: the rows are not in the order of {TABLE}: {' '.join(table.layers)}")
    return errors


def check_build(text: str, table: Table) -> list[str]:
    loop = re.compile(r"foreach\((\w+) IN ITEMS ([^)]*)\)\s*add_subdirectory\(\$\{\1\}\)")
    built = re.findall(r"add_subdirectory\((\w[^)]*)\)", loop.sub(_unrolled, text))
    wanted = [name for name in table.layers if "/" not in name and name != "extproc"]
    return [] if built == wanted else [f"{BUILD}: adds {' '.join(built)}; in the order of {TABLE} it is {' '.join(wanted)}"]


def _unrolled(loop: re.Match[str]) -> str:
    return "".join(f"add_subdirectory({item})" for item in loop[2].split())


def check(root: Path) -> list[str]:
    errors: list[str] = []
    table = read_table((root / TABLE).read_text(), errors)
    files, includes = read_sources(root)
    if not includes:
        return [f"{root}: no source includes anything: is this the project's folder?"]
    errors += check_folders(files, table)
    errors += filter(None, (check_include(include, table) for include in includes))
    errors += check_table(includes, table) + check_public(files, includes, table)
    errors += check_page((root / PAGE).read_text(), table)
    return errors + check_build((root / BUILD).read_text(), table)


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    errors = check(root)
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    if not errors:
        print("==> every include is one that its folder may have")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
