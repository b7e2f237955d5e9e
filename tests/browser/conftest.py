"""A server with an admin service, and a browser."""

import pytest
from webdriver import Browser

from harness.admin import Admin
from harness.extproc import Extproc
from harness.processes import Launcher, free_port

REBOUND = "rebound.example"


@pytest.fixture
def launcher(tmp_path):
    programs = Launcher(tmp_path)
    yield programs
    programs.stop_all()


@pytest.fixture
def admin(launcher) -> Admin:
    """Of a server of a chain."""
    admin = Admin(free_port())
    Extproc(launcher, "examples.TrivialExtProcService,examples.EchoExtProcService", tuple(admin.flags))
    return admin


@pytest.fixture
def browser(launcher):
    browser = Browser(launcher, (REBOUND, "other.example"))
    yield browser
    browser.close()
