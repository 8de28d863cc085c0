"""Lines of a plain text by their number: where each one starts, and which are blank.

Belongs here: line arithmetic over a mapped file. Does not belong here: what a line says.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

PIECE_BYTES = 64 << 20
"""A larger text is read piece by piece: the index of its lines and its typed rows then need some 0.2 GB."""

_CHUNK = 1 << 20
Numbers = npt.NDArray[np.int64]


class Lines:
    """Lines of a UTF-8 file, numbered from 1. The last one need not end in a line feed."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as handle:
            self._bytes = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
            ends = [
                np.flatnonzero(np.frombuffer(chunk, dtype=np.uint8) == 10) + number * _CHUNK
                for number, chunk in enumerate(iter(lambda: handle.read(_CHUNK), b""))
            ]
        n_bytes = len(self._bytes)
        self._ends: Numbers = np.concatenate(ends)
        if not self._ends.size or self._ends[-1] != n_bytes - 1:
            self._ends = np.append(self._ends, n_bytes)
        short = np.flatnonzero(np.diff(self._ends, prepend=-1) <= 2) + 1
        self.blank: Numbers = np.array(
            [n for n in short.tolist() if self._text(n) in (b"", b"\r")], dtype=np.int64
        )

    def __len__(self) -> int:
        return int(self._ends.size)

    def texts(self, numbers: Iterable[int]) -> list[str]:
        """Lines without their ends."""
        return [self._text(n).decode("utf-8").removesuffix("\r") for n in numbers]

    def _text(self, number: int) -> bytes:
        start = self._ends[number - 2] + 1 if number > 1 else 0
        return self._bytes[start : self._ends[number - 1]]


def pieces(path: Path, folder: Path) -> Iterator[Path]:
    """The file itself, or copies of its parts, each cut behind a line feed and gone when the next one is asked for."""
    if path.stat().st_size <= PIECE_BYTES:
        yield path
        return
    rest = b""
    with path.open("rb") as handle:
        for number in range(path.stat().st_size):
            block = rest + handle.read(PIECE_BYTES - len(rest))
            if not block:
                return
            cut = len(block) if len(block) < PIECE_BYTES else block.rfind(b"\n") + 1
            piece = folder / f"{path.name}.{number}"
            piece.write_bytes(block[: cut or len(block)])
            rest = block[cut or len(block) :]
            yield piece
            piece.unlink()
