"""What lies in landing and is not read, and why.

Belongs here: looking at paths, never into them: a pipe that is opened holds the night. Does not belong here: sealing
what is read (`archive`).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ingestion.archive import is_unfinished
from ingestion.contracts.home import Home
from ingestion.contracts.messages import Message
from ingestion.contracts.names import visible


def passed_over(home: Home) -> list[tuple[str, str, Message]]:
    """(source, name, why) of what lies in landing and is not read, though it is neither hidden nor unfinished."""
    found = []
    for folder in sorted(home.landing.glob("*/")):
        for path in sorted(folder.rglob("*")):
            if is_unfinished(path.name):
                continue
            why = _why_not(path, folder.resolve())
            if why is not None:
                found.append((visible(folder.name), visible(path.relative_to(folder).as_posix()), why))
    return found


def _why_not(path: Path, inside: Path) -> Message | None:
    """Why a path of landing is not sealed; None for a folder and for a file that is."""
    try:
        kind = path.stat().st_mode
    except OSError as error:
        return Message(f"无法读取: {error.strerror}", f"cannot be read: {error.strerror}")
    if not path.resolve().is_relative_to(inside):
        return Message("指向收件目录以外", "points outside landing")
    if stat.S_ISDIR(kind):
        return None
    if not stat.S_ISREG(kind):
        return Message("不是普通文件 (管道、套接字或设备)", "is no ordinary file (a pipe, socket or device)")
    if not os.access(path, os.R_OK):
        return Message("没有读取权限", "may not be read")
    return None
