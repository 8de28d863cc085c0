"""Acts on files that make a release safe: hashing, flushing to disk, read-only marks, atomic writes, removal.

Here belongs whatever must be right when the power goes. What a release holds does not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from exports.messages import ExportError

# SHA-256 leaves the interpreter lock, so a few threads hash as fast as the disk gives
_HASH_THREADS = min(4, os.cpu_count() or 1)
_FORBIDDEN = frozenset('<>:"|?*\\')
# Windows stops at 260 characters for the whole path: 200 leaves room for the folder people unpack into
_LONGEST_PATH = 200


@dataclass(frozen=True)
class FileSeal:
    """What identifies one file of a release."""

    sha256: str
    size_bytes: int


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_of(root: Path) -> list[str]:
    """Every entry below `root` that is not a folder, as sorted relative POSIX paths; links are not
    followed.
    """
    return sorted(path.relative_to(root).as_posix() for path in _entries(root))


def hash_files(root: Path, paths: list[str]) -> dict[str, FileSeal | OSError]:
    """Seal of each file; one that cannot be read gives its error instead, so that all others are still
    seen.
    """

    def one(path: str) -> FileSeal | OSError:
        try:
            return FileSeal(sha256_of(root / path), (root / path).stat().st_size)
        except OSError as error:
            return error

    with ThreadPoolExecutor(_HASH_THREADS) as pool:
        return dict(zip(paths, pool.map(one, paths), strict=True))


def is_plain_file(path: Path) -> bool:
    """A regular file that is not a link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def check_portable(root: Path) -> None:
    """Refuse what would not survive a copy to Windows or a file share: links, odd characters, long names."""
    for path in _entries(root):
        name = path.relative_to(root).as_posix()
        parts = name.split("/")
        if not is_plain_file(path):
            _refuse(name, "链接或特殊文件", "a link or a special file")
        elif any(_FORBIDDEN & set(part) or part[-1] in ". " or min(part) < " " for part in parts):
            _refuse(name, "文件名含有不可移植的字符", "a character that not every file system knows")
        elif len(name) > _LONGEST_PATH:
            _refuse(
                name, f"路径超过 {_LONGEST_PATH} 个字符", f"a path of more than {_LONGEST_PATH} characters"
            )


def seal_tree(root: Path) -> None:
    """Mark every file read-only and flush files, then folders from the deepest up."""
    folders = {root}
    for path in _entries(root):
        with path.open("r+b") as stream:
            os.fsync(stream.fileno())
        os.chmod(path, 0o444)
        folders.update(path.parents[: len(path.relative_to(root).parts)])
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        flush_folder(folder)


def flush_folder(folder: Path) -> None:
    """Make renames inside a folder last; systems without that act are left as they are."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside and replace: a reader sees the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.next")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    flush_folder(path.parent)


def remove_tree(root: Path) -> None:
    """Remove a folder with read-only files in it; nothing happens where there is none."""
    if not root.exists():
        return
    for path in _entries(root):
        # Windows refuses to remove read-only files
        with contextlib.suppress(OSError):
            if is_plain_file(path):
                os.chmod(path, 0o644)
    shutil.rmtree(root)


def _entries(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        at = Path(folder)
        for name in sorted(files):
            yield at / name
        # os.walk lists links to folders among the folders and does not follow them
        for name in sorted(folders):
            if (at / name).is_symlink():
                yield at / name


def _refuse(name: str, why_zh: str, why_en: str) -> None:
    raise ExportError(
        f"发布物中的 {name} 不可收录：{why_zh}。请改名或移除后重新发布。",
        f"{name} cannot be part of a release: {why_en}. Rename or remove it and publish again.",
    )
