"""Shared folders and SFTP: finished files as they are, and nothing that lies elsewhere."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
import pytest
from feed_home import FeedHome
from servers import SftpServer


def folder_feed(shelf: Path, **more: Any) -> dict[str, Any]:
    return {
        "id": "share",
        "source": "metering",
        "kind": "folder",
        "address": str(shelf),
        "settle_s": 0,
        **more,
    }


@pytest.fixture
def sftp_feed(feed_home: FeedHome, sftp: SftpServer, secret: Callable[[str, str], str]) -> dict[str, Any]:
    secret("EXPORT_USER", "exporter")
    secret("EXPORT_PASSWORD", sftp.password)
    (feed_home.home.root / "known_hosts").write_text(sftp.known_hosts_line, encoding="utf-8")
    return {
        "id": "share",
        "source": "metering",
        "kind": "sftp",
        "address": sftp.address,
        "user_env": "EXPORT_USER",
        "password_env": "EXPORT_PASSWORD",
        "timeout_s": 20,
        "tries": 2,
        "settle_s": 0,
    }


@pytest.fixture(params=["folder", "sftp"])
def feed(request: pytest.FixtureRequest, shelf: Path) -> dict[str, Any]:
    if request.param == "folder":
        return folder_feed(shelf)
    found: dict[str, Any] = request.getfixturevalue("sftp_feed")
    return found


def test_finished_files_land_as_they_are(feed_home: FeedHome, feed: dict[str, Any], shelf: Path) -> None:
    (shelf / "2021" / "三月").mkdir(parents=True)
    (shelf / "2021" / "三月" / "a.csv").write_bytes(b"a\xff\x00\r\n" * 100_000)
    (shelf / "b.csv").write_bytes(b"b")
    for name in (".hidden.csv", "~$b.xlsx", "c.csv.part", "d.tmp"):
        (shelf / name).write_bytes(b"x")
    (shelf / "e.txt").write_bytes(b"x")
    feed_home.declare({**feed, "matches": "*.csv"})
    run = feed_home.fetch()
    assert (run.outcome, run.n_files, run.unread) == ("answered", 2, []), run
    assert feed_home.landed == {
        "metering/share/2021/三月/a.csv": b"a\xff\x00\r\n" * 100_000,
        "metering/share/b.csv": b"b",
    }
    assert feed_home.fetch().n_files == 0

    # touched and not changed; changed; taken away
    os.utime(shelf / "b.csv", (1, 1))
    assert feed_home.fetch().n_files == 0
    (shelf / "b.csv").write_bytes(b"b2")
    (shelf / "2021" / "三月" / "a.csv").unlink()
    assert feed_home.fetch().n_files == 1
    assert feed_home.landed["metering/share/b.csv"] == b"b2"
    assert len(feed_home.landed) == 2


def test_a_file_that_is_being_written_waits(feed_home: FeedHome, feed: dict[str, Any], shelf: Path) -> None:
    (shelf / "whole.csv").write_bytes(b"whole")
    stop = threading.Event()

    def write() -> None:
        with (shelf / "growing.csv").open("wb", buffering=0) as handle:
            while not stop.is_set():
                handle.write(b"line\n")
                time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        feed_home.declare({**feed, "settle_s": 0.5})
        run = feed_home.fetch()
    finally:
        stop.set()
        writer.join()
    assert list(feed_home.landed) == ["metering/share/whole.csv"]
    assert [item.path for item in run.unread] == ["growing.csv"]
    feed_home.declare(feed)
    assert feed_home.fetch().n_files == 1
    assert feed_home.landed["metering/share/growing.csv"] == (shelf / "growing.csv").read_bytes()


def test_links_are_not_followed(
    feed_home: FeedHome, feed: dict[str, Any], shelf: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_bytes(b"outside")
    (shelf / "file.csv").symlink_to(outside / "secret.csv")
    (shelf / "folder").symlink_to(outside)
    (shelf / "good.csv").write_bytes(b"good")
    os.mkfifo(shelf / "pipe.csv")
    feed_home.declare(feed)
    run = feed_home.fetch()
    assert feed_home.landed == {"metering/share/good.csv": b"good"}
    assert sorted(item.path for item in run.unread) == ["file.csv", "folder", "pipe.csv"]
    assert b"outside" not in feed_home.all_bytes


def test_names_that_cannot_be_file_names_are_left_alone(
    feed_home: FeedHome, feed: dict[str, Any], shelf: Path
) -> None:
    bad = ["a\\..\\b.csv", "c:d.csv", "what?.csv", "NUL.csv", "trailing ", "new\nline.csv"]
    for name in [*bad, "good.csv", "GOOD.CSV"]:
        (shelf / name).write_bytes(b"x")
    if feed["kind"] == "folder":
        (shelf / os.fsdecode(b"\xff.csv")).write_bytes(b"x")
        bad.append("\\udcff.csv")
    feed_home.declare(feed)
    run = feed_home.fetch()
    assert [*feed_home.landed] == ["metering/share/GOOD.CSV"]
    assert {item.path for item in run.unread} == {*bad, "good.csv"}


def test_a_server_with_names_in_another_encoding_is_named(
    feed_home: FeedHome, sftp_feed: dict[str, Any], sftp: SftpServer, shelf: Path
) -> None:
    (shelf / "good.csv").write_bytes(b"good")
    sftp.files.extra[:] = ["三月.csv".encode("gb18030")]
    feed_home.declare(sftp_feed)
    run = feed_home.fetch()
    assert (run.outcome, [item.path for item in run.unread]) == ("answered", ["/"]), run


def test_a_server_that_lists_a_way_out_is_not_followed(
    feed_home: FeedHome, sftp_feed: dict[str, Any], sftp: SftpServer, shelf: Path
) -> None:
    (shelf.parent / "secret.csv").write_bytes(b"outside")
    (shelf / "good.csv").write_bytes(b"good")
    sftp.files.extra[:] = ["../secret.csv", "..", "/etc/passwd", "."]
    feed_home.declare(sftp_feed)
    run = feed_home.fetch()
    assert feed_home.landed == {"metering/share/good.csv": b"good"}
    assert {item.path for item in run.unread} == {"../secret.csv", "/etc/passwd"}


def test_an_unknown_or_changed_host_key_is_refused(
    feed_home: FeedHome, sftp_feed: dict[str, Any], sftp: SftpServer, shelf: Path
) -> None:
    (shelf / "good.csv").write_bytes(b"good")
    known_hosts = feed_home.home.root / "known_hosts"
    feed_home.declare(sftp_feed)
    other = paramiko.ECDSAKey.generate()
    changed = f"[127.0.0.1]:{sftp.port} {other.get_name()} {other.get_base64()}\n"
    for text in ("", changed):
        known_hosts.write_text(text, encoding="utf-8")
        assert feed_home.fetch().reason_code == "feed_not_trusted"
    known_hosts.unlink()
    assert feed_home.fetch().reason_code == "feed_not_trusted"
    assert feed_home.landed == {}
    known_hosts.write_text(sftp.known_hosts_line, encoding="utf-8")
    assert feed_home.fetch().n_files == 1


def test_a_key_or_a_password_and_neither_is_shown(
    feed_home: FeedHome, sftp_feed: dict[str, Any], sftp: SftpServer, shelf: Path, tmp_path: Path,
    secret: Callable[[str, str], str], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    (shelf / "good.csv").write_bytes(b"good")
    secret("EXPORT_PASSWORD", "wr0ng-secret-word")
    feed_home.declare(sftp_feed)
    assert feed_home.fetch().reason_code == "feed_not_admitted"
    sftp.user_key.write_private_key_file(str(tmp_path / "key"))
    secret("EXPORT_KEY", str(tmp_path / "key"))
    by_key = {name: value for name, value in sftp_feed.items() if name != "password_env"}
    feed_home.declare({**by_key, "key_env": "EXPORT_KEY"})
    assert feed_home.fetch().n_files == 1
    secret("EXPORT_KEY", str(tmp_path / "nosuch"))
    assert feed_home.fetch().reason_code == "secret_missing"
    assert b"wr0ng-secret-word" not in feed_home.all_bytes
    assert "wr0ng-secret-word" not in caplog.text


def test_a_server_that_stalls_or_is_gone_is_named(
    feed_home: FeedHome, sftp_feed: dict[str, Any], sftp: SftpServer
) -> None:
    sftp.files.stall_s = 5.0
    feed_home.declare({**sftp_feed, "timeout_s": 2, "tries": 1})
    assert feed_home.fetch().reason_code == "feed_silent"
    feed_home.declare({**sftp_feed, "address": sftp.address + "nosuch"})
    sftp.files.stall_s = 0.0
    assert "nosuch" in (feed_home.fetch().reason_en or "")
    sftp.stop()
    feed_home.declare(sftp_feed)
    assert feed_home.fetch().reason_code == "feed_unreachable"


def test_a_share_that_is_not_mounted_is_named(feed_home: FeedHome, shelf: Path) -> None:
    feed_home.declare(folder_feed(shelf / "nosuch"))
    run = feed_home.fetch()
    assert (run.outcome, run.reason_code) == ("failed", "feed_unreachable")


def test_a_file_in_the_place_of_a_folder_stops_nothing_else(feed_home: FeedHome, shelf: Path) -> None:
    (shelf / "a").write_bytes(b"a")
    (shelf / "z.csv").write_bytes(b"z")
    feed_home.declare(folder_feed(shelf))
    assert feed_home.fetch().n_files == 2
    (shelf / "a").unlink()
    (shelf / "a").mkdir()
    (shelf / "a" / "b.csv").write_bytes(b"b")
    (shelf / "z.csv").write_bytes(b"z2")
    run = feed_home.fetch()
    assert [item.path for item in run.unread] == ["a/b.csv"]
    assert feed_home.landed["metering/share/z.csv"] == b"z2"
