"""A large file taken out of its wrapping: gzip unpacked, UTF-16 as UTF-8, into a scratch file in bounded memory.

Belongs here: from the sealed bytes to bytes that the streamed roads can take. Does not belong here: what they say.
"""

from __future__ import annotations

import codecs
import shutil
from pathlib import Path

from ingestion.readers import compressed

_CHUNK = 1 << 20
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_wrapped(path: Path) -> bool:
    return _starts_with(path, (compressed.MAGIC, *_MARKS))


def unwrapped(path: Path, folder: Path) -> Path:
    """The file inside, written below `folder`. Raises Refusal for a broken or endless gzip, UnicodeDecodeError."""
    if _starts_with(path, (compressed.MAGIC,)):
        inside = folder / "unpacked"
        with inside.open("wb") as copy:
            for part in compressed.parts(path):
                copy.write(part)
        path = inside
    if _starts_with(path, _MARKS):
        inside = folder / "utf-8"
        with (
            path.open(encoding="utf-16", newline="") as source,
            inside.open("w", encoding="utf-8", newline="") as copy,
        ):
            shutil.copyfileobj(source, copy, _CHUNK)
        path = inside
    return path


def unpacked_bytes(path: Path) -> int:
    """How long a file is without its wrapping, as far as its last four bytes tell: only a hint."""
    n_bytes = path.stat().st_size
    if n_bytes < 18 or not _starts_with(path, (compressed.MAGIC,)):
        return n_bytes
    with path.open("rb") as handle:
        handle.seek(-4, 2)
        return max(n_bytes, int.from_bytes(handle.read(4), "little"))


def _starts_with(path: Path, marks: tuple[bytes, ...]) -> bool:
    with path.open("rb") as handle:
        return handle.read(4).startswith(marks)
