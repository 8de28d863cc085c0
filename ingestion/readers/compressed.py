"""Gzip to the file inside, in bounded memory.

Belongs here: taking the wrapping off, and refusing what would not end. Does not belong here: what is inside.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ingestion.contracts.messages import Message, Refusal

MAGIC = b"\x1f\x8b"
MAX_BYTES = 1 << 30
MAX_RATIO = 200
"""Readings in text shrink to a fifth or a thirtieth; what shrinks to less than this is made to fill a disk."""
_FREE_BYTES = 1 << 20
_STEP = 1 << 20


def expand(data: bytes) -> bytes:
    """The file inside a gzip file; bytes that are none come back as they are.

    Raises Refusal `broken_gzip` and `expands_too_far`.
    """
    if not data.startswith(MAGIC):
        return data
    return b"".join(_parts(io.BytesIO(data), len(data)))


def parts(path: Path) -> Iterator[bytes]:
    """The file inside a gzip file, part by part. Raises Refusal as `expand`."""
    with path.open("rb") as handle:
        yield from _parts(handle, path.stat().st_size)


def _parts(handle: IO[bytes], n_bytes: int) -> Iterator[bytes]:
    allowed = min(MAX_BYTES, max(_FREE_BYTES, MAX_RATIO * n_bytes))
    n_found = 0
    try:
        with gzip.GzipFile(fileobj=handle) as packed:
            while part := packed.read(_STEP):
                n_found += len(part)
                if n_found > allowed:
                    raise Refusal(
                        "expands_too_far",
                        Message(
                            f"压缩文件展开后超过 {allowed} 字节, 出于安全不予读取",
                            f"the packed file grows beyond {allowed} bytes, which is refused for safety",
                        ),
                        Message("请不压缩或分成几个文件上报", "send it unpacked, or in several files"),
                    )
                yield part
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal(
            "broken_gzip",
            Message(f"压缩文件不完整或有误: {error}", f"the packed file is incomplete or wrong: {error}"),
            Message("文件可能没有传完, 请重新导出", "the file may have been cut off; export it again"),
        ) from error
