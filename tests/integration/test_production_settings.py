"""The settings that docs/recipes.md shows and tells of are those of the processors of examples/production."""

import re

import pytest
import yaml

from harness import paths
from harness.served_file import check

SOURCES = {"CallLog": "call_log.cc", "JwtAuth": "jwt_auth.cc", "Idempotency": "idempotency.cc", "AiGateway": "ai_gateway.cc"}


@pytest.mark.parametrize(("name", "source"), SOURCES.items())
def test_the_settings_of_the_page_are_those_of_the_processor(tmp_path, name, source):
    page = (paths.REPOSITORY / "docs" / "recipes.md").read_text()
    shown = re.search(rf"<!-- settings of production\.{name} -->\n```yaml\n(.*?)```", page, re.DOTALL)[1]
    file = tmp_path / "serve.yaml"
    own = yaml.safe_load(shown)
    if "file" in own:
        own["file"] = str(tmp_path / "log")
    entry = {"name": f"production.{name}", "settings": own}
    file.write_text(yaml.safe_dump({"services": [{"listen": "127.0.0.1:1", "processors": [entry]}]}))
    checked = check(file)
    assert checked.returncode == 0, checked.stderr
    code = (paths.REPOSITORY / "examples" / "production" / source).read_text()
    read = set(re.findall(r'(?:get_or|get|find|required|limit_of)(?:<[\w:<>]+>)?\((?:settings, )?"(\w+)"', code))
    table = page[page.index(shown) :].split("\n\n")[1]
    told = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines())))
    assert read - {"claim", "header", "name", "cluster"} == told
