"""Files of a shared folder or an SFTP server, copied as they are once they are finished.

Belongs here: which files are taken, and when. Where they lie is a `Shelf`: a path (here) or a server (sftp).
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ingestion.archive import is_unfinished
from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.asking import Patience
from ingestion.feeds.declaration import FolderFeed, SftpFeed
from ingestion.feeds.delivery import Delivery, FeedState, Outbox, RemoteFile

_CHUNK = 1 << 20
_DEEPEST = 20
# what Windows cannot hold as a name, so that a home can move
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\/]|[ .]$|^\.\.?$')
_DEVICE = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True)
class Look:
    """A file as one look showed it; `kind` says what else it may be."""

    name: str
    size_bytes: int
    modified_at: float
    mode: int

    @property
    def is_same(self) -> tuple[int, float]:
        return self.size_bytes, self.modified_at


class Shelf(Protocol):
    """A place that lists files and opens them without ever following a link."""

    def entries(self, folder: str) -> list[Look]:
        """What lies in one folder, by bare name, links as links."""

    def open(self, name: str, look: Look) -> AbstractContextManager[BinaryIO]: ...

    def look(self, name: str) -> Look: ...


@dataclass(frozen=True)
class LeftAlone:
    """A file that was seen and not taken, and why."""

    path: str
    reason: Message


def read_files(
    feed: FolderFeed | SftpFeed,
    state: FeedState,
    outbox: Outbox,
    shelf: Shelf,
    patience: Patience,
    left: list[LeftAlone],
) -> Iterator[Delivery]:
    """One delivery per file that is finished and not as it was when it was last copied."""
    changed = {
        name: look for name, look in _walk(feed, shelf, left) if _is_changed(look, state.files.get(name))
    }
    if not changed:
        return
    # a file that grows between two looks is still being written
    patience.wait(feed.settle_s)
    for name, before in sorted(changed.items()):
        if not outbox.has_room(name):
            left.append(
                LeftAlone(
                    name,
                    Message(
                        "收件中已有同名的文件或目录", "a file of landing stands where its folder would be"
                    ),
                )
            )
            continue
        try:
            if shelf.look(name).is_same != before.is_same:
                left.append(LeftAlone(name, Message("仍在写入", "it is still being written")))
                continue
            delivery = _copy(feed, state, outbox, shelf, name, before, patience)
        except FileNotFoundError:
            # gone between two looks: whoever put it there took it back
            continue
        if delivery is None:
            left.append(LeftAlone(name, Message("复制时发生变化", "it changed while it was copied")))
            continue
        state = delivery.state
        yield delivery


def _is_changed(look: Look, last: RemoteFile | None) -> bool:
    return last is None or (last.size_bytes, last.modified_at) != look.is_same


def _walk(feed: FolderFeed | SftpFeed, shelf: Shelf, left: list[LeftAlone]) -> Iterator[tuple[str, Look]]:
    folders = [""]
    taken: set[str] = set()
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(shelf.entries(folder), key=lambda item: item.name)
        except UnicodeDecodeError:
            left.append(LeftAlone(f"{folder}/", Message("有文件名不是 UTF-8", "a name in it is not UTF-8")))
            continue
        for look in entries:
            name = f"{folder}/{look.name}" if folder else look.name
            if is_unfinished(look.name) and _is_safe(look.name):
                continue
            reason = _why_not(feed, name, look, taken)
            if reason is not None:
                left.append(LeftAlone(name.encode("utf-8", "backslashreplace").decode()[:300], reason))
            elif stat.S_ISDIR(look.mode):
                folders.append(name)
            elif fnmatch.fnmatchcase(name, feed.matches):
                taken.add(name.casefold())
                yield name, look


def _why_not(feed: FolderFeed | SftpFeed, name: str, look: Look, taken: set[str]) -> Message | None:
    if stat.S_ISLNK(look.mode):
        return Message("是链接, 不跟随", "it is a link, and links are not followed")
    if not _is_safe(look.name):
        return Message("文件名不能用作本地文件名", "its name cannot be a file name here")
    if name.count("/") >= _DEEPEST:
        return Message("目录过深", "it lies too deep")
    if stat.S_ISDIR(look.mode):
        return None
    if not stat.S_ISREG(look.mode):
        return Message("不是普通文件", "it is no regular file")
    if look.size_bytes > feed.largest_mb << 20:
        return Message(f"超过 {feed.largest_mb} MB", f"it is larger than {feed.largest_mb} MB")
    if name.casefold() in taken:
        return Message("与另一文件只差大小写", "it differs from another file in upper and lower case alone")
    return None


def _is_safe(name: str) -> bool:
    try:
        n_bytes = len(name.encode())
    except UnicodeEncodeError:
        return False
    return n_bytes <= 200 and not _UNSAFE.search(name) and not _DEVICE.match(name)


def _copy(
    feed: FolderFeed | SftpFeed,
    state: FeedState,
    outbox: Outbox,
    shelf: Shelf,
    name: str,
    before: Look,
    patience: Patience,
) -> Delivery | None:
    """The file as a delivery of its own; None when it is not what it was when the copy began."""
    with shelf.open(name, before) as source, outbox.stage(name) as file:
        while chunk := source.read(_CHUNK):
            patience.check()
            file.write(chunk)
            if file.size_bytes > before.size_bytes:
                return None
    if file.size_bytes != before.size_bytes or shelf.look(name).is_same != before.is_same:
        return None
    last = state.files.get(name)
    seen = RemoteFile(size_bytes=before.size_bytes, modified_at=before.modified_at, sha256=file.staged.sha256)
    after = state.model_copy(update={"number": state.number + 1, "files": {**state.files, name: seen}})
    is_known = last is not None and last.sha256 == file.staged.sha256
    return Delivery([] if is_known else [file.staged], after, 0)


class FolderShelf:
    """A folder that this machine sees as a path."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise Refusal(
                "feed_unreachable",
                Message(f"共享目录不存在: {root}", f"the shared folder is not there: {root}"),
                Message("请核对 address, 或先挂载共享", "look at address, or mount the share first"),
            )
        self._root = root.resolve()

    def _inside(self, name: str) -> Path:
        path = self._root / name
        # a folder on the way may have become a link since it was listed
        if path.parent.resolve() != path.parent:
            raise FileNotFoundError(name)
        return path

    def entries(self, folder: str) -> list[Look]:
        path = self._root / folder
        if path.resolve() != path:
            return []
        found = []
        with os.scandir(path) as listing:
            for entry in listing:
                facts = entry.stat(follow_symlinks=False)
                found.append(Look(entry.name, facts.st_size, facts.st_mtime, facts.st_mode))
        return found

    def look(self, name: str) -> Look:
        facts = self._inside(name).lstat()
        return Look(name, facts.st_size, facts.st_mtime, facts.st_mode)

    @contextmanager
    def open(self, name: str, look: Look) -> Iterator[BinaryIO]:
        flags = (
            os.O_RDONLY
            | getattr(os, "O_NOFOLLOW", 0)
            | getattr(os, "O_NONBLOCK", 0)
            | getattr(os, "O_BINARY", 0)
        )
        path = self._inside(name)
        try:
            descriptor = os.open(path, flags)
        except OSError:
            raise FileNotFoundError(name) from None
        with os.fdopen(descriptor, "rb") as handle:
            facts = os.fstat(handle.fileno())
            if not stat.S_ISREG(facts.st_mode) or (facts.st_size, facts.st_mtime) != look.is_same:
                raise FileNotFoundError(name)
            yield handle
