"""feeds.yml: what is refused, and that a value is never repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.contracts.messages import Refusal
from ingestion.feeds.declaration import load_feeds

SECRET = "S3cretW0rd"
REST = {"id": "a", "source": "metering", "kind": "rest", "address": "http://127.0.0.1/x", "records": "rows"}
DATABASE = {
    "id": "a",
    "source": "metering",
    "kind": "database",
    "address": "postgresql://127.0.0.1/x",
    "table": "t",
}
SFTP = {
    "id": "a",
    "source": "metering",
    "kind": "sftp",
    "address": "sftp://127.0.0.1/x",
    "user_env": "U",
    "password_env": "P",
}
FOLDER = {"id": "a", "source": "metering", "kind": "folder", "address": "/share"}


def written(tmp_path: Path, entries: Any) -> Path:
    path = tmp_path / "feeds.yml"
    path.write_text(entries if isinstance(entries, str) else yaml.safe_dump(entries), encoding="utf-8")
    return path


def test_good_entries_of_each_kind_load(tmp_path: Path) -> None:
    entries = [{**entry, "id": f"f{n}"} for n, entry in enumerate((REST, DATABASE, SFTP, FOLDER))]
    assert [feed.kind for feed in load_feeds(written(tmp_path, entries))] == [
        "rest",
        "database",
        "sftp",
        "folder",
    ]
    assert load_feeds(tmp_path / "nosuch.yml") == []
    assert load_feeds(written(tmp_path, "")) == []


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ({**REST, "token": {"env": SECRET}}, "token.env"),
        ({**REST, "token": {"env": "TANCANG_TOKEN"}}, "token.env"),
        ({**REST, "token": SECRET}, "token"),
        ({**REST, "password": SECRET}, "password"),
        ({**REST, "address": f"https://user:{SECRET}@127.0.0.1/x"}, "address"),
        ({**REST, "address": f"ftp://{SECRET}"}, "address"),
        ({**REST, "address": f"https://[{SECRET}/x"}, "address"),
        ({**REST, "source": SECRET}, "source"),
        ({**REST, "id": f"../{SECRET}"}, "id"),
        ({**REST, "paging": {"kind": "page"}}, "paging"),
        ({**REST, "paging": {"kind": "next"}}, "paging"),
        ({**REST, "token": {"env": "T", "header": f"X: {SECRET}\r\nY"}}, "token.header"),
        ({**DATABASE, "address": f"postgresql://u:{SECRET}@127.0.0.1/x"}, "address"),
        ({**DATABASE, "address": f"postgresql://127.0.0.1/x?password={SECRET}"}, "address"),
        ({**DATABASE, "query": f"select '{SECRET}'"}, "rest"),
        ({**DATABASE, "overlap": 5}, "database"),
        ({**SFTP, "user_env": None}, "sftp"),
        ({**SFTP, "kind": SECRET}, ""),
        ({**FOLDER, "settle_s": SECRET}, "settle_s"),
        ([REST, REST], "twice"),
        (f"- {{id: {SECRET}", "YAML"),
        (f"{{id: {SECRET}}}", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_never_repeated(tmp_path: Path, entry: Any, key: str) -> None:
    entries = [entry] if isinstance(entry, dict) else entry
    with pytest.raises(Refusal) as caught:
        load_feeds(written(tmp_path, entries))
    assert caught.value.code == "bad_feeds"
    assert SECRET not in str(caught.value)
    if key not in ("", "rest", "database"):
        assert key in str(caught.value)
