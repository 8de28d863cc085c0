"""Data Docs in a real browser, from disk, no host name resolvable: nothing is asked for, nothing breaks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from quality_scratch import AS_OF, above, catalogue, column, manifest, model, rule, warehouse

from quality.checkpoint import run_checkpoint
from quality.data_docs import VENDOR
from quality.runner import run_rules

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium runs this test"),
]


@dataclass(frozen=True)
class Opened:
    document: str
    console: str
    network: str
    screenshot: Path

    def hosts(self) -> set[str]:
        return set(re.findall(r'"url":"https?://([^/"]+)', self.network))


def _open(page: Path, folder: Path) -> Opened:
    """Load a page, run its scripts, and give the finished document, the console, and the requests."""
    folder.mkdir()
    command = [
        CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr",
        f"--log-net-log={folder / 'network.json'}", "--window-size=1280,900", "--virtual-time-budget=4000",
        f"--screenshot={folder / 'page.png'}", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=90, check=True)
    console = "\n".join(line for line in ended.stderr.splitlines() if "CONSOLE" in line)
    network = (folder / "network.json").read_text(encoding="utf-8")
    return Opened(ended.stdout, console, network, folder / "page.png")


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a small build that failed one expectation and one rule."""
    folder = tmp_path_factory.mktemp("docs")
    con = warehouse()
    con.execute("update marts.thing set amount = -1 where name = 'k2'")
    rules = catalogue(
        above(5, text_zh="电量不得超过上限", text_en="electricity stays below the limit"),
        rule("checkpoint_complete", tool="great_expectations"),
        rule("ge_thing", tool="great_expectations"),
    )
    declared = manifest(
        folder,
        model("thing", ["name"], column("name"), column("year"), column("amount", meta={"unit": "kWh"})),
    )
    report = run_checkpoint(
        con, declared, folder / "data_docs", catalogue=rules, rule_results=run_rules(con, rules, (), AS_OF),
        build_id="b1", as_of=AS_OF,
    )  # fmt: skip
    assert report.docs_index is not None
    return report.docs_index.parent


def _asked_hosts() -> set[str]:
    addresses = yaml.safe_load((VENDOR / "assets.yml").read_text(encoding="utf-8"))
    return {urlsplit(address).netloc for address in addresses} | {
        "great-expectations-web-assets.s3.us-east-2.amazonaws.com"
    }


def test_the_index_opens_styled_and_searchable_without_a_network(docs: Path, tmp_path: Path) -> None:
    opened = _open(docs / "index.html", tmp_path / "index")
    assert opened.console == ""
    # the list of suites is drawn by script: it is there only if jQuery and bootstrap-table came from disk
    assert opened.document.count("candidates-thing") >= 1
    assert 'class="bootstrap-table' in opened.document
    assert not opened.hosts() & _asked_hosts()
    assert opened.screenshot.stat().st_size > 20_000


@pytest.mark.parametrize(
    ("suite", "shown"), [("thing", "amount"), ("rule_results_counted_in_duckdb_blocking", "电量不得超过上限")]
)
def test_a_validation_page_opens_without_a_network(
    docs: Path, tmp_path: Path, suite: str, shown: str
) -> None:
    (page,) = (docs / "validations" / suite).rglob("*.html")
    opened = _open(page, tmp_path / "page")
    assert opened.console == ""
    assert shown in opened.document
    assert 'class="bootstrap-table' in opened.document
    assert not opened.hosts() & _asked_hosts()
    assert opened.screenshot.stat().st_size > 20_000


def test_the_watch_would_see_a_page_that_asks_outside(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(
        '<script src="https://code.jquery.com/jquery-3.7.1.min.js"></script><script>$("a")</script>', "utf-8"
    )
    opened = _open(page, tmp_path / "bad")
    assert "code.jquery.com" in opened.hosts()
    assert "$ is not defined" in opened.console
