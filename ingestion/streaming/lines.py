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

Numbers = npt.NDArray[np.int64]


class Lines:
    """Lines of a UTF-8 file, numbered from 1. The last one need not end in a line feed."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as handle:
            self._bytes = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        data = np.frombuffer(self._bytes, dtype=np.uint8)
        ends = np.flatnonzero(data == 10)
        if not ends.size or ends[-1] != data.size - 1:
            ends = np.append(ends, data.size)
        self._starts = np.concatenate(([0], ends[:-1] + 1))
        self._ends = ends
        lengths = ends - self._starts
        short = np.flatnonzero(lengths <= 1)
        is_blank = [lengths[at] == 0 or data[self._starts[at]] == 13 for at in short]
        self.blank: Numbers = short[np.array(is_blank, dtype=bool)] + 1

    def __len__(self) -> int:
        return int(self._ends.size)

    def texts(self, numbers: Iterable[int]) -> list[str]:
        """Lines without their ends."""
        return [
            self._bytes[self._starts[n - 1] : self._ends[n - 1]].decode("utf-8").removesuffix("\r")
            for n in numbers
        ]


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
