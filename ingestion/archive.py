"""Seals what landed: bytes by content hash, one receipt per delivery, written whole or not at all.

Belongs here: copying landing into the archive and reading it back. Does not belong here: what a file says.
From here on nothing reads landing: a figure is a function of the archive.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import get_ident

from pydantic import BaseModel, ConfigDict

from ingestion.contracts.home import Home
from ingestion.contracts.identity import file_id
from ingestion.contracts.names import visible

_CHUNK = 1 << 20
_AT_A_TIME = 2
"""Files sealed at a time: while one is flushed to disk, the next is hashed."""
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


_SIGNED_OFF = "direct_report"
"""The source whose years are signed off."""
_INCOMING = ".incoming"
_sealed_here: dict[str, tuple[int, ...]] = {}
"""Object → its state when it was sealed by this process."""


class Receipt(BaseModel):
    """One delivery: these bytes, under this name, first seen on this date.

    `version` counts deliveries under the same name, from 1; only the last one is read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    path: str
    sha256: str
    size_bytes: int
    received_on: date
    version: int

    @property
    def file_id(self) -> str:
        return file_id(self.source, self.path, self.sha256)


def waiting(home: Home) -> Iterator[tuple[str, Path]]:
    """(source, file) in landing, sorted; hidden, unfinished and outside-pointing files are left alone.

    Every folder in landing is a source, known or not: a file in an unknown one is sealed and refused by
    name, not overlooked.
    """
    for folder in sorted(home.landing.glob("*/")):
        source = folder.name
        inside = folder.resolve()
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or is_unfinished(path.name):
                continue
            if not path.resolve().is_relative_to(inside):
                continue
            yield source, path


def is_unfinished(name: str) -> bool:
    """Whether a name says that its file is hidden, a lock of an office program, or still being written."""
    return name.startswith((".", "~$")) or name.endswith(_UNFINISHED)


def object_path(home: Home, sha256: str) -> Path:
    return home.archive / "objects" / sha256[:2] / sha256


def read_sealed(home: Home, sha256: str) -> bytes:
    """The sealed bytes. Raises ValueError when the archive no longer holds what it sealed."""
    data = object_path(home, sha256).read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"archive object {sha256} has changed since it was sealed")
    return data


def receipts(home: Home) -> list[Receipt]:
    """All deliveries ever sealed, ordered by source, path and version."""
    folder = home.archive / "receipts"
    found = [Receipt.model_validate_json(path.read_bytes()) for path in folder.glob("*.json")]
    return sorted(found, key=lambda item: (item.source, item.path, item.version))


def current(found: list[Receipt], frozen_on: Iterable[date] = ()) -> list[Receipt]:
    """The last delivery under each name; of returns also the one that was the last on a day when a year was signed off."""
    last = {(item.source, item.path): item for item in found}
    kept = {item.file_id: item for item in last.values()}
    for day in frozen_on:
        by_then = {
            item.path: item for item in found if item.source == _SIGNED_OFF and item.received_on <= day
        }
        kept |= {item.file_id: item for item in by_then.values()}
    return sorted(kept.values(), key=lambda item: (item.source, item.path, item.version))


def unsealed(home: Home) -> list[tuple[str, str, Path]]:
    """(source, name, file) of what landing holds and the archive does not hold as its last delivery."""
    last = {(item.source, item.path): item for item in receipts(home)}
    named = [(visible(folder), _name(home, folder, path), path) for folder, path in waiting(home)]
    return [item for item in named if _is_new(item[2], last.get(item[:2]))]


def seal(home: Home, as_of: date) -> list[Receipt]:
    """Copy what is new in landing into the archive. Returns the new receipts.

    Bytes are written beside their place, flushed to disk and renamed, the receipt last: a kill leaves
    either no receipt (the file is sealed again next night) or a whole one.
    """
    versions = {(item.source, item.path): item for item in receipts(home)}
    folder = home.archive / "receipts"
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in (home.archive / "objects").glob(f"{_INCOMING}*"):
        leftover.unlink()
    found = unsealed(home)
    fresh = []
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        stores = pool.map(lambda item: _stored(home, item[2]), found)
        for (source, name, _), stored in zip(found, stores, strict=True):
            last = versions.get((source, name))
            if stored is None or (last is not None and last.sha256 == stored[0]):
                continue
            sha256, size = stored
            receipt = Receipt(
                source=source,
                path=name,
                sha256=sha256,
                size_bytes=size,
                received_on=as_of,
                version=last.version + 1 if last else 1,
            )
            _write_whole(folder / f"{receipt.file_id}.json", receipt.model_dump_json(indent=1).encode())
            fresh.append(receipt)
    return fresh


def is_untouched(path: Path, sha256: str) -> bool:
    """Whether this process itself hashed an object while it sealed it, and nobody wrote to it since."""
    return _sealed_here.get(sha256) == _state(path)


def _name(home: Home, folder: str, path: Path) -> str:
    return visible(path.relative_to(home.landing / folder).as_posix())


def _is_new(path: Path, last: Receipt | None) -> bool:
    """A file is read here only if it may be the last delivery: as long as that one was."""
    if not os.access(path, os.R_OK):
        return False
    if last is None or path.stat().st_size != last.size_bytes:
        return True
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest() != last.sha256


def _stored(home: Home, path: Path) -> tuple[str, int] | None:
    try:
        return _store(home, path)
    except OSError:
        if os.access(path, os.R_OK):
            raise
        return None  # gone again, or not ours to read: `landing.passed_over` names it


def _store(home: Home, path: Path) -> tuple[str, int] | None:
    """Copy a file into the archive, reading it once: what is sealed is what was hashed. Returns hash and size.

    None when the file changed under our eyes (left for the next night).
    """
    objects = home.archive / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    partial = objects / f"{_INCOMING}{get_ident()}"
    seen, size = hashlib.sha256(), 0
    with path.open("rb") as source, partial.open("wb") as copy:
        before = os.fstat(source.fileno())
        while chunk := source.read(_CHUNK):
            seen.update(chunk)
            size += len(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    after = path.stat()
    if size != after.st_size or (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns):
        partial.unlink()
        return None
    target = object_path(home, seen.hexdigest())
    if target.exists():
        partial.unlink()
    else:
        target.parent.mkdir(exist_ok=True)
        partial.chmod(0o444)
        os.replace(partial, target)
        _sealed_here[seen.hexdigest()] = _state(target)
    return seen.hexdigest(), size


def _state(path: Path) -> tuple[int, ...]:
    """What of a file changes whenever somebody writes to it."""
    found = path.stat()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _write_whole(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(partial, path)
