"""What the bytes of a large delimited file are like: encoding, quotes, and that they are the sealed ones.

Belongs here: one pass over the file in chunks. Does not belong here: separators and fields.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

from ingestion import archive

_CHUNK = 1 << 20
_OTHERS = ("gb18030", "cp1252")
"""Tried in this order on what is not UTF-8, as for small files (`readers.text`)."""


@dataclass(frozen=True)
class Text:
    path: Path
    encoding: str
    has_quotes: bool


def refuse_changed(path: Path, sha256: str) -> None:
    """Raises ValueError when a file is not what was sealed."""
    if archive.is_untouched(path, sha256):
        return
    with path.open("rb") as handle:
        if hashlib.file_digest(handle, "sha256").hexdigest() != sha256:
            raise ValueError(f"archive object {sha256} has changed since it was sealed")


def look(path: Path, sha256: str | None) -> Text | None:
    """None where only the general reader knows what to do: NUL bytes, UTF-16 unmarked, or no text at all.

    Raises ValueError when the bytes are not those that were sealed; without a hash they are a copy of ours.
    """
    seal = None if sha256 is None or archive.is_untouched(path, sha256) else hashlib.sha256()
    utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    has_quotes = has_nul = False
    start = b""
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            if seal is not None:
                seal.update(chunk)
            start = start or chunk[:4]
            has_quotes = has_quotes or b'"' in chunk
            has_nul = has_nul or b"\0" in chunk
            utf8 = _still(utf8, chunk)
    if seal is not None and seal.hexdigest() != sha256:
        raise ValueError(f"archive object {sha256} has changed since it was sealed")
    if has_nul or start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    encoding = "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"
    if utf8 is None or not _ends_well(utf8):
        other = None if encoding == "utf-8-sig" else _encoding(path)
        if other is None:
            return None
        encoding = other
    return Text(path, encoding, has_quotes)


def _still(decoder: codecs.IncrementalDecoder | None, chunk: bytes) -> codecs.IncrementalDecoder | None:
    """The decoder while everything so far was UTF-8; ASCII, which nearly all of a file is, needs no decoding."""
    if decoder is None or (chunk.isascii() and decoder.getstate()[0] == b""):
        return decoder
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return None
    return decoder


def _ends_well(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(path: Path) -> str | None:
    for name in _OTHERS:
        try:
            with path.open(encoding=name, newline="") as handle:
                while handle.read(_CHUNK):
                    pass
        except UnicodeDecodeError:
            continue
        return name
    return None
