"""The admin service in a browser."""

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import REBOUND

LINKS = ["Overview", "Streams", "Settings", "Certs", "Log level", "Stats", "Version"]


@pytest.fixture
def home(admin) -> str:
    return f"http://127.0.0.1:{admin.address}/"


def level(admin) -> str:
    return admin.get("/log-level").json()["log_level"]


def test_the_overview_tells_of_the_server(browser, home):
    browser.open(home)
    assert browser.title() == "Overview - extproc"
    assert browser.texts("header a") == LINKS
    assert browser.texts("h1") == ["Overview"]
    (servers,) = browser.texts("main table table")
    assert "TrivialExtProcService" in servers and "streams_open" in servers
    # The style sheet is used, nothing else is loaded, and nothing is complained of.
    assert browser.run("return document.styleSheets.length") == 1
    assert browser.run("return getComputedStyle(document.querySelector('table')).borderCollapse") == "collapse"
    loaded = browser.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {name for name in loaded if not name.endswith("/favicon.ico")} == {home + "style.css"}
    assert [text for text in browser.complaints() if "favicon" not in text] == []


def test_every_link_leads_to_a_page(browser, home):
    browser.open(home)
    paths = browser.run("return [...document.querySelectorAll('header a')].map(link => link.getAttribute('href'))")
    assert len(paths) == len(LINKS)
    for number, title in enumerate(LINKS, start=1):
        browser.click(f"header a:nth-child({number})")
        assert browser.texts("h1") == [title]
        assert browser.texts("header a[aria-current]") == [title]
        assert browser.texts("main table"), title
    assert browser.run("return document.scripts.length") == 0


def test_the_level_of_the_log_is_set(browser, home, admin):
    browser.open(home)
    assert browser.run("return document.querySelector('select').value") == "INFO"
    browser.click("option:nth-child(1)")
    browser.click("button")
    assert browser.url().startswith(home + "log-level")
    assert browser.run("return document.querySelector('select').value") == "DEBUG"
    assert level(admin) == "DEBUG"
    assert [text for text in browser.complaints() if "favicon" not in text] == []


def test_a_page_of_another_site_changes_nothing(browser, home, admin):
    form = f'<form method="post" action="{html.escape(home)}log-level"><input name="level" value="OFF"><button>Win</button></form>'
    with Site(form) as site:
        browser.open(f"http://other.example:{site.port}/")
        browser.click("button")
        assert "may not change anything here" in "".join(browser.texts("body"))
    assert level(admin) == "INFO"


def test_a_name_that_was_rebound_is_refused(browser, admin):
    browser.open(f"http://{REBOUND}:{admin.address}/settings")
    assert "is not of this machine alone" in "".join(browser.texts("body"))


class Site:
    """A page on a port of 127.0.0.1."""

    def __init__(self, page: str):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self) -> "Site":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()
