"""Bytes to text: finds the encoding without asking, refuses what is not text.

Belongs here: byte order marks, UTF-8/UTF-16/GB18030. Does not belong here: separators and fields.
"""

from __future__ import annotations

import codecs
import unicodedata

from ingestion.contracts.messages import Message, Refusal

_MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_FALLBACKS = ("utf-8", "gb18030", "cp1252")


def decode(data: bytes) -> str:
    """Text of a file. UTF-8 and UTF-16 by their marks, else strict UTF-8, then GB18030, then cp1252.

    UTF-16 without its mark is known by its NUL bytes.

    GB18030 comes before cp1252 because a Chinese file read as cp1252 never fails and is always wrong; a
    western file that happens to be valid GB18030 is only possible with pairs of accented letters.
    Raises Refusal `not_text` for other NUL bytes and for what no encoding explains.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data, encoding)
    if b"\0" in data:
        return _unmarked_utf16(data)
    for encoding in _FALLBACKS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _not_text()


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_text() from error


_LOST_MARK = b"\xef\xbf\xbd"
_RARE = 0.1
_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})


def _unmarked_utf16(data: bytes) -> str:
    """UTF-16 whose mark is missing, or was destroyed by a program that took the file for UTF-8.

    Digits, separators and line ends have a NUL on one side, and Chinese letters hardly ever on the other; and what
    comes out must be letters, not controls or places where no letter is.
    """
    while data.startswith(_LOST_MARK):
        data = data[len(_LOST_MARK) :]
    if len(data) % 2 and data.endswith(b"\n"):
        data = data[:-1]
    n_pairs = len(data) // 2
    first, second = data[0::2].count(0), data[1::2].count(0)
    for encoding, usual, odd in (("utf-16-le", second, first), ("utf-16-be", first, second)):
        if usual >= _RARE * n_pairs > 0 and odd <= _RARE * usual:
            text = _strict(data, encoding)
            if not any(unicodedata.category(letter) in _NO_TEXT for letter in set(text) - set("\t\r\n")):
                return text
    raise _not_text()


def _not_text() -> Refusal:
    return Refusal(
        "not_text",
        Message(
            "文件不是文本 (含空字节或无法识别的编码)",
            "the file is not text (NUL bytes or an unknown encoding)",
        ),
        Message("请用 UTF-8 或 GB18030 重新导出为 CSV", "export it again as CSV in UTF-8 or GB18030"),
    )
