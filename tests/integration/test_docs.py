"""The code in the docs is the code that is compiled, and what they point to is there."""

import re
from pathlib import Path

import pytest

from harness import paths

BLOCK = re.compile(r"<!-- from (\S+) -->\n```\w+\n(.*?)```", re.S)
PAGES = sorted((paths.REPOSITORY / "docs").glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:\.ci|bench|cmake|docs|examples|include|proto|scripts|src|tests)/[^`\s<>*]+)`")
FOLDERS = ["bench", "deploy", "docs", "examples", "include", "proto", "src", "tests"]
TEXTS = sorted([*paths.REPOSITORY.glob("*.md"), *(page for top in FOLDERS for page in (paths.REPOSITORY / top).rglob("*.md"))])
BLOCKS = [(page.name, *block) for page in PAGES for block in BLOCK.findall(page.read_text())]


@pytest.mark.parametrize(("page", "source", "code"), BLOCKS)
def test_code_is_of_its_source(page, source, code):
    assert code in (paths.REPOSITORY / source).read_text()


def test_there_is_code():
    assert BLOCKS


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()).replace(" ", "-")


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)


def _anchors(page: Path) -> set[str]:
    return {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", _prose(page), re.M)}


def _leads_nowhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return not target.exists() or bool(anchor) and anchor not in _anchors(target)


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(paths.REPOSITORY)))
def test_links_lead_somewhere(page):
    links = [link for link in LINK.findall(_prose(page)) if "://" not in link]
    assert [link for link in links if _leads_nowhere(page, link)] == []


def test_there_are_links():
    assert sum(len(LINK.findall(page.read_text())) for page in TEXTS) > 100


def test_files_to_change_are_there():
    page = paths.REPOSITORY / "docs" / "contributing.md"
    named = PATH.findall(page.read_text().split("## Where to find what", 1)[1])
    assert len(named) > 50
    assert [name for name in named if not (paths.REPOSITORY / name).exists()] == []


def test_each_release_says_what_it_asks_of_users():
    releases = (paths.REPOSITORY / "docs" / "upgrading.md").read_text().split("\n## From ")[1:]
    assert releases
    for release in releases:
        section = release.split("\n## ", 1)[0]
        assert re.findall(r"^### (.*)$", section, re.M) == ["Changed defaults", "Deprecated names", "Modules"], section


def test_the_changelog_knows_the_version():
    version = re.search(r"project\(extproc VERSION (\S+)", (paths.REPOSITORY / "CMakeLists.txt").read_text())
    assert version is not None
    assert f"## {version[1]}\n" in (paths.REPOSITORY / "CHANGELOG.md").read_text()
