"""Which release stands: the pointer, the list of releases, the next number, and going back.

Here belongs everything about `releases/`, `current` and `current.json`. Making a release does not.
`current.json` is the truth, replaced in one rename on every system; the link `current` follows it where links
are permitted, and a link left behind by a killed night is set right at the next start.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from exports.manifest import (
    DATABASE_NAME,
    RELEASE_ID,
    ReleaseManifest,
    canonical_bytes,
    read_manifest,
    release_id_of,
    verify,
)
from exports.messages import ExportError
from exports.seal import flush_folder, write_atomically

LINK_NAME = "current"
POINTER_NAME = "current.json"
RELEASES_NAME = "releases"


class Pointer(BaseModel):
    """current.json. `withdrawn` names releases that somebody went back from."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    release_id: str
    path: str
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReleasePlan:
    """The name that a build would be published under, before anything is written."""

    release_id: str
    number: int
    parent_release_id: str | None
    is_existing: bool


@dataclass(frozen=True)
class CurrentRelease:
    release_id: str
    path: Path

    @property
    def database(self) -> Path:
        return self.path / DATABASE_NAME


@dataclass(frozen=True)
class ReleaseSummary:
    """One line of the list; `manifest` is None where it cannot be read."""

    release_id: str
    path: Path
    manifest: ReleaseManifest | None
    is_current: bool
    is_withdrawn: bool


def plan_release(home: Path, as_of: date, fingerprint: str) -> ReleasePlan:
    """Id, number and parent of the release that this build gives.

    A release that stands already keeps its own number and parent, so that a rebuilt warehouse gives the same
    rows.
    """
    release_id = release_id_of(as_of, fingerprint)
    if not RELEASE_ID.fullmatch(release_id):
        raise ExportError(
            f"构建指纹 {fingerprint!r} 无法用作发布编号（需至少 12 位十六进制）。",
            f"fingerprint {fingerprint!r} cannot name a release (at least 12 hexadecimal digits are needed).",
        )
    existing = home / RELEASES_NAME / release_id
    if existing.exists():
        manifest = read_manifest(existing)
        return ReleasePlan(release_id, manifest.number, manifest.parent_release_id, True)
    numbers = [summary.manifest.number for summary in list_releases(home) if summary.manifest]
    current = current_release(home)
    return ReleasePlan(
        release_id, max(numbers, default=0) + 1, current.release_id if current else None, False
    )


def current_release(home: Path) -> CurrentRelease | None:
    """The release that stands, as a path of its own that stays while `current` moves on; None before
    the first.
    """
    pointer = read_pointer(home)
    if pointer is None:
        return None
    path = home / RELEASES_NAME / pointer.release_id
    if not path.is_dir():
        raise ExportError(
            f"{POINTER_NAME} 指向的发布物 {pointer.release_id} 不存在。请从备份恢复 {path}，"
            "或用 tancang rollback <编号> 指向另一版。",
            f"the release {pointer.release_id} that {POINTER_NAME} names is gone. Restore {path} from a "
            "copy, or point to another one with tancang rollback <id>.",
        )
    return CurrentRelease(pointer.release_id, path)


def list_releases(home: Path) -> list[ReleaseSummary]:
    """All whole folders below releases/, newest number first; unreadable ones last."""
    folder = home / RELEASES_NAME
    pointer = read_pointer(home)
    summaries = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not RELEASE_ID.fullmatch(path.name) or not path.is_dir():
            continue
        manifest = None
        with contextlib.suppress(ExportError):
            manifest = read_manifest(path)
        summaries.append(
            ReleaseSummary(
                path.name,
                path,
                manifest,
                is_current=pointer is not None and pointer.release_id == path.name,
                is_withdrawn=pointer is not None and path.name in pointer.withdrawn,
            )
        )
    return sorted(
        summaries, key=lambda s: (s.manifest.number if s.manifest else -1, s.release_id), reverse=True
    )


def rollback(home: Path, to: str | None = None) -> CurrentRelease:
    """Point `current` at the parent of the release that stands, or at `to`; nothing is removed.

    The release left is marked as withdrawn: the next night with the same inputs does not bring it back.
    """
    pointer = read_pointer(home)
    if pointer is None:
        raise ExportError(
            "尚无任何发布物，无法回退。", "there is no release yet, so there is nothing to go back to."
        )
    left = pointer.release_id
    target = to
    if target is None:
        folder = home / RELEASES_NAME / left
        target = read_manifest(folder).parent_release_id
        if target is None:
            raise ExportError(
                f"{left} 是第一版，没有上一版可回退。",
                f"{left} is the first release: it has no parent to go back to.",
            )
    if target == left:
        raise ExportError(f"当前已是 {left}。", f"{left} stands already.")
    path = home / RELEASES_NAME / target
    if not RELEASE_ID.fullmatch(target) or not path.is_dir():
        known = ", ".join(summary.release_id for summary in list_releases(home)) or "—"
        raise ExportError(
            f"没有发布物 {target}。现有：{known}。", f"there is no release {target}. Known: {known}."
        )
    if problems := verify(path):
        raise ExportError(
            f"{target} 已损坏，不能指向它：{problems[0].text_zh}",
            f"{target} is damaged: {problems[0].text_en}",
        )
    point_to(home, target, withdrawn={*pointer.withdrawn, left} - {target})
    return CurrentRelease(target, path)


def read_pointer(home: Path) -> Pointer | None:
    """What current.json says; where there is none, what the link says; None before the first release."""
    path = home / POINTER_NAME
    try:
        pointer = Pointer.model_validate_json(path.read_bytes())
        if RELEASE_ID.fullmatch(pointer.release_id):
            return pointer
        problem = f"release_id {pointer.release_id!r}"
    except FileNotFoundError:
        linked = _linked(home)
        return Pointer(release_id=linked, path=f"{RELEASES_NAME}/{linked}") if linked else None
    except (OSError, ValidationError) as error:
        problem = str(error)
    raise ExportError(
        f"无法读取 {path}：{problem}。请删除它（若有链接 {LINK_NAME}，将以链接为准）或从备份恢复。",
        f"cannot read {path}: {problem}. Remove it (the link {LINK_NAME} then counts, where there is one) or "
        "restore it from a copy.",
    )


def point_to(home: Path, release_id: str, withdrawn: set[str]) -> bool:
    """Switch to a release: current.json in one rename, then the link. False where no link could be made."""
    write_pointer(home, release_id, withdrawn)
    return set_link(home, release_id)


def write_pointer(home: Path, release_id: str, withdrawn: set[str]) -> None:
    pointer = Pointer(
        release_id=release_id, path=f"{RELEASES_NAME}/{release_id}", withdrawn=tuple(sorted(withdrawn))
    )
    write_atomically(home / POINTER_NAME, canonical_bytes(pointer))


def set_link(home: Path, release_id: str) -> bool:
    """Replace the link in one rename; False on systems and shares that permit no links."""
    if _linked(home) == release_id:
        return True
    temporary = home / f".{LINK_NAME}.next"
    try:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        os.symlink(Path(RELEASES_NAME) / release_id, temporary, target_is_directory=True)
        os.replace(temporary, home / LINK_NAME)
    except (OSError, NotImplementedError):
        # a link that cannot be moved on would name an old release: better none
        for leftover in (temporary, home / LINK_NAME):
            with contextlib.suppress(OSError):
                if leftover.is_symlink():
                    leftover.unlink()
        return False
    flush_folder(home)
    return True


def heal(home: Path) -> None:
    """Let the link follow current.json again after a night that was killed between the two."""
    pointer = read_pointer(home)
    if pointer is not None and (home / RELEASES_NAME / pointer.release_id).is_dir():
        set_link(home, pointer.release_id)


def _linked(home: Path) -> str | None:
    try:
        name = Path(os.readlink(home / LINK_NAME)).name
    except OSError:
        return None
    return name if RELEASE_ID.fullmatch(name) else None
