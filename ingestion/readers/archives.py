"""A zip file to its members, in bounded memory; what could harm the reader is refused by name.

Belongs here: opening the container, judging its names and sizes, setting aside what is no table by named
rule. Does not belong here: what a member says (it is recognised by its own layout, as a file of its own).
"""

from __future__ import annotations

import io
import lzma
import re
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass

from ingestion.contracts.messages import Message, Refusal
from ingestion.readers.compressed import MAX_BYTES, MAX_RATIO

MAX_MEMBERS = 2000
SEPARATOR = "!"
"""Between a container and its member in the path of a delivery: `310118_20211201.zip!310118_Build.xml`."""
_FREE_BYTES = 1 << 20
_STEP = 1 << 20
_UNREADABLE = {b"Rar!\x1a\x07": "rar", b"7z\xbc\xaf\x27\x1c": "7z"}
_UNREADABLE_SUFFIXES = (".rar", ".7z", ".tar", ".tgz")
_CONTAINERS = (".zip", ".rar", ".7z", ".tar", ".tgz")


@dataclass(frozen=True)
class IgnoreRule:
    """Why a member is not read; `code` names the rule, `why` says it."""

    code: str
    why: Message


ACCESSORY = IgnoreRule(
    "accessory", Message("附件 (图片, 图纸, 文档)", "an attachment (picture, drawing, document)")
)
FOLDER = IgnoreRule("folder", Message("文件夹", "a folder"))
LEFTOVER = IgnoreRule(
    "system_file", Message("操作系统留下的文件", "a file the operating system leaves behind")
)

_ACCESSORY_FOLDER = re.compile(r"(^|/)accessor(y|ies)/", re.IGNORECASE)
_ACCESSORY_SUFFIX = re.compile(r"\.(jpe?g|png|gif|bmp|tiff?|dwf|dwg|docx?|pdf|rtf)$", re.IGNORECASE)
_LEFTOVER = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)


@dataclass(frozen=True)
class Member:
    """One entry of a container. `data` is None when `rule` says why it is not read."""

    name: str
    data: bytes | None
    rule: IgnoreRule | None = None


def is_container(path: str) -> bool:
    return path.lower().endswith(_CONTAINERS)


def members(path: str, data: bytes) -> list[Member]:
    """Every entry of a container, in its own order.

    Raises Refusal: `packed_otherwise` (rar, 7z, tar), `broken_archive`, `empty_archive`, `archive_encrypted`,
    `archive_path_escapes`, `archive_link`, `archive_member_twice`, `archive_nested`, `too_many_members`,
    `expands_too_far`.
    """
    _refuse_other_kinds(path, data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = packed.infolist()
            _refuse_hostile(entries)
            named = [(entry, _name(entry)) for entry in entries]
            _refuse_twice([name for _, name in named])
            allowed = min(MAX_BYTES, max(_FREE_BYTES, MAX_RATIO * len(data)))
            found = []
            for entry, name in named:
                rule = _rule(name)
                content = None if rule else _content(packed, entry, allowed)
                allowed -= len(content or b"")
                found.append(Member(name, content, rule))
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        NotImplementedError,
        ValueError,
    ) as error:
        raise Refusal(
            "broken_archive",
            Message(f"压缩包不完整或有误: {error}", f"the archive is incomplete or wrong: {error}"),
            Message("文件可能没有传完, 请重新打包", "the file may have been cut off; pack it again"),
        ) from error
    if all(member.rule for member in found):
        raise Refusal(
            "empty_archive",
            Message("压缩包里没有可读的文件", "the archive holds no file to read"),
            Message("请确认打包的内容", "look at what was packed"),
        )
    return found


def _refuse_other_kinds(path: str, data: bytes) -> None:
    kind = next((name for magic, name in _UNREADABLE.items() if data.startswith(magic)), None)
    if kind is None and path.lower().endswith(_UNREADABLE_SUFFIXES):
        kind = path.rsplit(".", 1)[-1].lower()
    if kind is not None:
        raise Refusal(
            "packed_otherwise",
            Message(f"不读取 {kind} 压缩包", f"archives of kind {kind} are not read"),
            Message("请解压后投递, 或改用 zip 打包", "unpack it, or pack it as zip"),
        )


def _refuse_hostile(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_MEMBERS:
        raise Refusal(
            "too_many_members",
            Message(
                f"压缩包内有 {len(entries)} 个文件, 最多 {MAX_MEMBERS} 个",
                f"the archive holds {len(entries)} files; {MAX_MEMBERS} at most are read",
            ),
            Message("请分成几个压缩包", "split it into several archives"),
        )
    for entry in entries:
        name = _name(entry)
        if entry.flag_bits & 0x41:
            raise Refusal(
                "archive_encrypted",
                Message(f"压缩包已加密: {name}", f"the archive is encrypted: {name}"),
                Message("请不设密码重新打包", "pack it again without a password"),
            )
        if _escapes(name):
            raise Refusal(
                "archive_path_escapes",
                Message(
                    f"压缩包内的路径指向包外: {name!r}", f"a path in the archive leads outside it: {name!r}"
                ),
                Message("请只打包文件, 路径不含 .. 与盘符", "pack plain files, without .. or a drive letter"),
            )
        mode = entry.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Refusal(
                "archive_link",
                Message(
                    f"压缩包内有链接或特殊文件: {name}", f"the archive holds a link or special file: {name}"
                ),
                Message("请打包文件本身", "pack the files themselves"),
            )
        if is_container(name) and not _rule(name):
            raise Refusal(
                "archive_nested",
                Message(f"压缩包内还有压缩包: {name}", f"the archive holds another archive: {name}"),
                Message("请先解开里层, 每包只压一层", "unpack the inner one; one layer per archive"),
            )


def _escapes(name: str) -> bool:
    parts = name.split("/")
    is_odd = any(ord(letter) < 32 or letter == "\x7f" for letter in name)
    return not name or is_odd or ".." in parts or name.startswith("/") or bool(re.match(r"[A-Za-z]:", name))


def _refuse_twice(names: list[str]) -> None:
    """Two entries of one name: which of them an unpacking tool keeps is an accident."""
    times = Counter(name.casefold() for name in names)
    twice = next((name for name in names if times[name.casefold()] > 1), None)
    if twice is not None:
        raise Refusal(
            "archive_member_twice",
            Message(f"压缩包内同名文件出现两次: {twice}", f"one name stands twice in the archive: {twice}"),
            Message("请保留正确的一个后重新打包", "keep the right one and pack it again"),
        )


def _name(entry: zipfile.ZipInfo) -> str:
    """The name with forward slashes. Without the UTF-8 flag, Chinese tools write GB18030."""
    name = entry.orig_filename
    if not entry.flag_bits & 0x800:
        written = name.encode("cp437", errors="replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = written.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _rule(name: str) -> IgnoreRule | None:
    if name.endswith("/"):
        return FOLDER
    if _LEFTOVER.search(name):
        return LEFTOVER
    if _ACCESSORY_FOLDER.search(name) or _ACCESSORY_SUFFIX.search(name):
        return ACCESSORY
    return None


def _content(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, allowed: int) -> bytes:
    """The bytes of one member, however large its header claims it is."""
    found = bytearray()
    with packed.open(entry) as opened:
        while part := opened.read(_STEP):
            found += part
            if len(found) > allowed:
                raise Refusal(
                    "expands_too_far",
                    Message(
                        "压缩包展开后过大, 出于安全不予读取",
                        "the archive grows too large when unpacked, which is refused for safety",
                    ),
                    Message("请不压缩或分成几个文件上报", "send it unpacked, or in several files"),
                )
    return bytes(found)
