"""One night: what it works on, and whether there is anything to do.

Belongs here: sealing, the plan of a night and its fingerprint, the calendar, the lock.
Does not belong here: the steps themselves (defs), the line of a night that ended (history), words for people (report).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TextIO

from exports.current import current_release
from exports.manifest import Declaration, InputFile, read_manifest
from ingestion import archive
from ingestion.contracts.home import Home
from ingestion.contracts.identity import digest
from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.declaration import load_feeds
from ingestion.feeds.run import FeedRun, last_runs
from orchestration.declarations import Declarations, load_declarations
from orchestration.settings import Settings
from quality.catalogue import load_catalogue
from quality.waivers import load_waivers


@dataclass(frozen=True)
class Night:
    """Everything one night is a function of. `fingerprint` names it; `build_id` is its short form."""

    settings: Settings
    as_of: date
    declarations: Declarations
    receipts: list[archive.Receipt]
    superseded: list[archive.Receipt]
    feed_runs: list[FeedRun]
    fingerprint: str

    @property
    def home(self) -> Home:
        return self.settings.paths

    @property
    def build_id(self) -> str:
        return self.fingerprint[:16]

    def inputs(self) -> list[InputFile]:
        return [
            InputFile(
                path=item.path,
                sha256=item.sha256,
                size_bytes=item.size_bytes,
                received_on=item.received_on,
                source=item.source,
            )
            for item in self.receipts
        ]

    def sealed_declarations(self) -> list[Declaration]:
        return [Declaration(name=name, sha256=seal) for name, seal in sorted(self.declarations.seals.items())]


def begin(settings: Settings) -> tuple[Night, list[archive.Receipt]]:
    """Read the clock once, seal landing, and write down which night this is. Returns it and what was new."""
    home = settings.paths
    as_of = settings.as_of or date.today()
    _check_landing(home)
    home.night.mkdir(parents=True, exist_ok=True)
    fresh = archive.seal(home, as_of)
    night = _night(settings, as_of)
    note = {"as_of": as_of.isoformat(), "build_id": night.build_id, "fingerprint": night.fingerprint}
    partial = home.night / f".night.{os.getpid()}"
    partial.write_text(json.dumps(note), encoding="utf-8")
    os.replace(partial, home.night / "night.json")
    return night, fresh


def resume(settings: Settings) -> Night:
    """The night that `begin` wrote down, for later steps of the same run or a step started by hand.

    Raises Refusal when archive or declarations changed since: a step must not mix two nights.
    """
    path = settings.paths.night / "night.json"
    if not path.is_file():
        raise Refusal(
            "no_night",
            Message("还没有开始过一夜", "no night has begun yet"),
            Message("请运行 tancang nightly", "run tancang nightly"),
        )
    note = json.loads(path.read_text(encoding="utf-8"))
    night = _night(settings, date.fromisoformat(note["as_of"]))
    if night.fingerprint != note["fingerprint"]:
        raise Refusal(
            "night_changed",
            Message(
                "归档或声明在本夜开始后有变化", "the archive or a declaration changed after this night began"
            ),
            Message("请重新运行 tancang nightly", "run tancang nightly again"),
        )
    return night


def _night(settings: Settings, as_of: date) -> Night:
    declarations = load_declarations(settings)
    everything = archive.receipts(settings.paths)
    receipts = archive.current(everything, [item.frozen_on for item in declarations.frozen])
    kept = {item.file_id for item in receipts}
    feed_runs = last_runs(settings.paths)
    fingerprint = digest(
        {
            "inputs": [(item.source, item.path, item.sha256) for item in receipts],
            "superseded": sorted(item.file_id for item in everything if item.file_id not in kept),
            "declarations": declarations.seals,
            "calendar": calendar(settings, declarations, as_of),
            "feeds": [run.facts() for run in feed_runs],
        }
    )
    superseded = [item for item in everything if item.file_id not in kept]
    return Night(settings, as_of, declarations, receipts, superseded, feed_runs, fingerprint)


def calendar(settings: Settings, declarations: Declarations, as_of: date) -> dict[str, Any]:
    """What the date alone decides: open windows, overdue sources, live waivers, factors known by now."""
    windows = [
        (w.source, w.year, as_of > w.due_on, as_of > w.closes_on) for w in declarations.profile.windows
    ]
    waivers = load_waivers(settings.paths.waivers, load_catalogue())
    alive = sorted(waiver.model_dump_json() for waiver in waivers if waiver.expires_on >= as_of)
    known = declarations.registry.known_by(as_of)
    overrides = [item.id for item in declarations.overrides if item.expires_on and item.expires_on < as_of]
    return {
        "windows": windows,
        "silence": [
            (w.source, str(as_of - timedelta(days=w.days))[:7]) for w in declarations.profile.silence_windows
        ],
        "waivers": alive,
        "known_factors": digest(known),
        "expired_overrides": overrides,
    }


def is_published(night: Night) -> bool:
    """Whether the current release is already what this night would publish."""
    release = current_release(night.home.root)
    if release is None:
        return False
    return read_manifest(release.path).fingerprint == night.fingerprint


def is_anything_new(settings: Settings) -> bool:
    """The question of the schedule: would a night now publish something else? Looks only, writes nothing.

    Whether a feed has something new is known once it is asked, so a home with feeds always has its night.
    """
    _check_landing(settings.paths)
    if archive.unsealed(settings.paths) or load_feeds(settings.paths.feed_declarations):
        return True
    return not is_published(_night(settings, settings.as_of or date.today()))


def _check_landing(home: Home) -> None:
    if home.landing_override and not home.landing.is_dir():
        raise Refusal(
            "no_landing",
            Message(f"收件目录不存在: {home.landing}", f"the landing folder does not exist: {home.landing}"),
            Message("请核对 --landing", "look at --landing"),
        )
    home.landing.mkdir(parents=True, exist_ok=True)


_held: dict[Path, TextIO] = {}


def hold(home: Home) -> None:
    """Hold the home's lock until `release_hold` or the end of the process; a second call changes nothing.

    Raises Refusal `busy` naming who holds it.
    """
    if home.lock in _held:
        return
    home.root.mkdir(parents=True, exist_ok=True)
    handle = home.lock.open("a+", encoding="utf-8")
    try:
        _lock(handle.fileno())
    except OSError as error:
        handle.seek(0)
        holder = handle.read().strip()
        handle.close()
        raise Refusal(
            "busy",
            Message(f"另一夜正在运行 ({holder})", f"another night is running ({holder})"),
            Message("请等它结束后再运行", "wait for it to end, then run again"),
        ) from error
    handle.seek(0)
    handle.truncate()
    handle.write(f"pid {os.getpid()}")
    handle.flush()
    _held[home.lock] = handle


def release_hold(home: Home) -> None:
    handle = _held.pop(home.lock, None)
    if handle is not None:
        handle.close()


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
