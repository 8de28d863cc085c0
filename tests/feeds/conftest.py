"""A home with feeds, and real servers to read from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from feed_home import FeedHome
from servers import Endpoint, Postgres, SftpServer, endpoint, postgres_binaries

from ingestion.feeds import asking, run


@pytest.fixture
def feed_home(tmp_path: Path) -> FeedHome:
    return FeedHome(tmp_path / "home")


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


@pytest.fixture(autouse=True)
def _quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once: what is tested is that they are made, not how long they wait."""
    monkeypatch.setattr(asking, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(run, "FIRST_WAIT_S", 0.01)


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install postgresql")
    found = Postgres(binaries)
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.fixture
def sftp(shelf: Path) -> Iterator[SftpServer]:
    found = SftpServer(shelf)
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    def put(name: str, value: str) -> str:
        monkeypatch.setenv(name, value)
        return value

    return put
