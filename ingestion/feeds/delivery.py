"""How what was fetched gets into landing exactly once, whenever the power goes.

Belongs here: a feed's own folder (`<home>/feeds/<id>/`), its state, staging and the rename into landing.
Does not belong here: where bytes come from.

A delivery is written whole in three steps: files are staged; `prepared.json` names them together with the state
that will hold afterwards; each file is moved into landing and `prepared.json` becomes `state.json` in one rename.
A kill before the second step leaves nothing in landing, and the same is asked for again; a kill after it leaves
a delivery that the next run finishes without asking anybody.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingestion.contracts.home import Home
from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.declaration import Feed

Model = TypeVar("Model", bound=BaseModel)


class RemoteFile(BaseModel):
    """A file as the sender showed it when it was copied."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size_bytes: int
    modified_at: float
    sha256: str


class FeedState(BaseModel):
    """How far a feed has been read. `seen` holds what may come again: digest → place on the cursor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: str
    number: int = 0
    cursor: str | None = None
    position: str | None = None
    seen: dict[str, str | None] = Field(default_factory=dict)
    content_sha256: str | None = None
    files: dict[str, RemoteFile] = Field(default_factory=dict)


class Staged(BaseModel):
    """A whole file beside its place: `name` is its path below `landing/<source>/<feed id>/`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    staged: str
    sha256: str
    size_bytes: int


class _Prepared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    files: list[Staged]
    state: FeedState


@dataclass(frozen=True)
class Delivery:
    """Files that land together, and the state that holds once they have."""

    files: list[Staged]
    state: FeedState
    n_records: int


class Outbox:
    """One feed's folder. Only one process uses it at a time: the one that holds the home."""

    def __init__(self, home: Home, feed: Feed) -> None:
        self.feed = feed
        self.folder = home.feeds / feed.id
        self.landing = home.landing / feed.source / feed.id
        self._staging = self.folder / f"staged-{os.getpid()}"
        self._n_staged = 0

    def open(self) -> FeedState:
        """Finish what an earlier run left prepared, forget what it left half, and say how far the feed has been read."""
        self.folder.mkdir(parents=True, exist_ok=True)
        prepared = self._read("prepared.json", _Prepared)
        if prepared is not None:
            self._finish(prepared)
        for left in self.folder.glob("staged-*"):
            shutil.rmtree(left, ignore_errors=True)
        state = self._read("state.json", FeedState) or FeedState(identity=self.feed.identity)
        if state.identity != self.feed.identity:
            raise Refusal(
                "feed_changed",
                Message(
                    f"接入 {self.feed.id} 的表, 查询, 记录或游标与已读取的不同",
                    f"feed {self.feed.id} now asks for other records than it has read so far (table, query, records or cursor)",
                ),
                Message("请换一个 id, 或改回原声明", "give it another id, or restore what it said"),
            )
        return state

    def has_room(self, name: str) -> bool:
        """Whether landing can hold a file of this name: no file in the place of a folder, nor the other way round."""
        target = self.landing / name
        above = list(target.parents)[: len(Path(name).parts) - 1]
        return not target.is_dir() and not any(folder.is_file() for folder in above)

    @contextmanager
    def stage(self, name: str) -> Iterator[_Writing]:
        """Write one file beside its place, flushed to disk; a failure leaves nothing that counts."""
        self._staging.mkdir(parents=True, exist_ok=True)
        self._n_staged += 1
        path = self._staging / str(self._n_staged)
        with path.open("wb") as handle:
            writing = _Writing(handle)
            yield writing
            handle.flush()
            os.fsync(handle.fileno())
        writing.staged = Staged(
            name=name,
            staged=path.relative_to(self.folder).as_posix(),
            sha256=writing.seen.hexdigest(),
            size_bytes=writing.size_bytes,
        )

    def deliver(self, delivery: Delivery) -> None:
        prepared = _Prepared(files=delivery.files, state=delivery.state)
        write_whole(self.folder / "prepared.json", prepared.model_dump_json().encode())
        self._finish(prepared)

    def _finish(self, prepared: _Prepared) -> None:
        for item in prepared.files:
            if not self._place(item):
                # neither staged nor landed: somebody cleared both, so it has to be fetched again
                (self.folder / "prepared.json").unlink()
                return
        # what was prepared names the files as well; the state alone is what is kept
        write_whole(self.folder / "state.json", prepared.state.model_dump_json().encode())
        (self.folder / "prepared.json").unlink()
        for item in prepared.files:
            (self.folder / item.staged).unlink(missing_ok=True)

    def _place(self, item: Staged) -> bool:
        staged, target = self.folder / item.staged, self.landing / item.name
        if not staged.exists():
            return target.is_file() and _hash(target) == item.sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.parent.resolve().is_relative_to(self.landing.parent.resolve()):
            raise OSError(errno.ELOOP, "a link leads out of landing", str(target))
        try:
            os.replace(staged, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            partial = target.with_name(f".{target.name}.part")
            with staged.open("rb") as source, partial.open("wb") as copy:
                shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            os.replace(partial, target)
        _sync_folder(target.parent)
        return True

    def _read(self, name: str, model: type[Model]) -> Model | None:
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            return model.model_validate_json(path.read_bytes())
        except ValidationError:
            raise Refusal(
                "feed_state_damaged",
                Message(f"接入 {self.feed.id} 的 {name} 已损坏", f"{name} of feed {self.feed.id} is damaged"),
                Message(
                    f"请从备份恢复 feeds/{self.feed.id}/{name}; 删除它会从头读取",
                    f"restore feeds/{self.feed.id}/{name} from a copy; without it the feed is read from its beginning",
                ),
            ) from None


class _Writing:
    """An open staged file that counts and hashes what goes through it."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.seen = hashlib.sha256()
        self.size_bytes = 0
        self.staged: Staged

    def write(self, data: bytes) -> int:
        self.seen.update(data)
        self.size_bytes += len(data)
        return self._handle.write(data)


def write_whole(path: Path, data: bytes) -> None:
    """Replace a small file so that a reader, or the next start, finds the old one or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(partial, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A rename is on disk once its folder is; Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
