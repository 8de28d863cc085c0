"""`tancang ui` serves Dagster's stock web UI: a browser opens it and sees the asset graph of the house."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no headless Chromium on this machine (Debian: apt install chromium)"
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("ui")
    home, told = folder / "home", folder / "told.txt"
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("TANCANG_", "DAGSTER_"))
    }
    server = subprocess.Popen(
        [
            str(Path(sys.executable).parent / "tancang"),
            "ui",
            "--home",
            str(home),
            "--port",
            str(port),
            "--profile",
            "examples/district/profile.yml",
            "--landing",
            "examples/district/clean/landing",
        ],
        cwd=CHECKOUT,
        env=clean,
        stdout=told.open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/server_info", server, told)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _wait(url: str, server: subprocess.Popen[bytes], told: Path) -> None:
    ends = time.monotonic() + 150
    while time.monotonic() < ends:
        assert server.poll() is None, f"the web UI ended before it answered: {told.read_text(errors='replace')}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"the web UI did not answer: {told.read_text(errors='replace')}")


def ask(address: str, query: str) -> dict:  # type: ignore[type-arg]
    request = urllib.request.Request(
        f"{address}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())["data"]


def test_the_code_location_loads_with_schedule_and_sensor(address: str) -> None:
    facts = ask(
        address,
        """{ repositoriesOrError { __typename ... on RepositoryConnection { nodes {
              assetGroups { groupName } schedules { name } sensors { name } jobs { name } } }
             ... on PythonError { message } } }""",
    )["repositoriesOrError"]
    assert facts["__typename"] == "RepositoryConnection", facts
    (node,) = facts["nodes"]
    assert {group["groupName"] for group in node["assetGroups"]} >= {
        "landing",
        "raw",
        "staging",
        "core",
        "marts",
        "gate",
        "release",
    }
    assert [schedule["name"] for schedule in node["schedules"]] == ["every_night"]
    assert [sensor["name"] for sensor in node["sensors"]] == ["landing_sensor"]
    assert {job["name"] for job in node["jobs"]} >= {"nightly", "rebuild", "publish_only"}


def test_the_pool_of_the_warehouse_has_its_limit(address: str) -> None:
    facts = ask(address, "{ instance { poolConfig { poolGranularity defaultPoolLimit } } }")
    assert facts["instance"]["poolConfig"] == {"poolGranularity": "run", "defaultPoolLimit": 1}


def test_a_browser_sees_the_asset_graph(address: str, tmp_path: Path) -> None:
    picture = tmp_path / "assets.png"
    profile = tmp_path / "profile"
    page = subprocess.run(
        [
            CHROMIUM or "",
            *BROWSER,
            f"--user-data-dir={profile}",
            "--virtual-time-budget=25000",
            f"--screenshot={picture}",
            "--dump-dom",
            f"{address}/asset-groups",
        ],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert "tancang" in page.stdout or "marts" in page.stdout, page.stdout[:500]
    assert picture.is_file()
    assert picture.stat().st_size > 20_000, "the page is not blank"
