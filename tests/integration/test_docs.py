"""The code in the docs is the code that is compiled."""

import re

import pytest

from harness import paths

BLOCK = re.compile(r"<!-- from (\S+) -->\n```\w+\n(.*?)```", re.S)
PAGES = sorted((paths.REPOSITORY / "docs").glob("*.md"))
BLOCKS = [(page.name, *block) for page in PAGES for block in BLOCK.findall(page.read_text())]


@pytest.mark.parametrize(("page", "source", "code"), BLOCKS)
def test_code_is_of_its_source(page, source, code):
    assert code in (paths.REPOSITORY / source).read_text()


def test_there_is_code():
    assert BLOCKS
