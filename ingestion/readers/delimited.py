"""Delimited text (CSV, TSV and the like) to one sheet of text cells.

Belongs here: separators, quoting, line numbers. Does not belong here: header lines and their meaning.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

import polars as pl

from ingestion.contracts.messages import Message, Refusal
from ingestion.readers.text import decode
from ingestion.sheets import Sheet, of_lines, of_rows

_NAMED_SEPARATOR = re.compile(r"sep=(\S|\t)[ \t]*(?:[\r\n]|\Z)", re.IGNORECASE)
_WEB_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_LETTER = re.compile(r"\S")
_SEPARATORS = (",", "\t", ";", "$", "|")
_HEAD = 1 << 20
"""Characters in which the first lines are looked for."""


def read_sheets(data: bytes, separator: str | None = None) -> list[Sheet]:
    """One sheet; row numbers are record numbers, equal to line numbers while no field holds a line break.

    A first line `sep=;`, which spreadsheets write, names the separator and is kept as a line of the file.
    Raises Refusal `empty_file`, `not_text`, `web_page`, `broken_quotes`.
    """
    text = decode(data)
    separator = separator_of(text, separator)
    if '"' in text:
        return [of_rows(None, list(rows_of(io.StringIO(text, newline=""), separator)))]
    # bytes are searched, and handed over, in a fraction of the time that letters take
    letters = text.encode()
    if letters.count(b"\r") > letters.count(b"\r\n"):
        letters = letters.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # a return that is left stands at the end of a line, where blanks are taken off the last cell
    whole = pl.Series([letters.removesuffix(b"\n")], dtype=pl.Binary).cast(pl.String)
    return [of_lines(None, whole.str.split("\n").explode(), separator)]


def separator_of(text: str, given: str | None = None) -> str:
    """The separator of a file that begins with `text`: the layout's, the one it names, or the one it looks like.

    Raises Refusal `empty_file`, `web_page`.
    """
    named = _NAMED_SEPARATOR.match(text)
    if not _LETTER.search(text, named.end() if named else 0):
        raise Refusal(
            "empty_file",
            Message("文件是空的", "the file is empty"),
            Message("请重新导出并确认文件大小", "export it again and look at its size"),
        )
    if _WEB_PAGE.match(text):
        raise Refusal(
            "web_page",
            Message(
                "文件是网页而不是数据 (多为登录页或出错页)",
                "the file is a web page, no table (mostly a page that says sign in, or error)",
            ),
            Message("请登录后重新下载", "sign in and download it again"),
        )
    return given or (named.group(1) if named else None) or _separator(text)


def rows_of(lines: Iterable[str], separator: str) -> Iterator[list[str | None]]:
    """Records one after the other, as lines come with their ends. Raises Refusal `broken_quotes`."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        for row in reader:
            yield [cell.strip() or None for cell in row]
    except csv.Error as error:
        raise Refusal(
            "broken_quotes",
            Message(
                f"第 {reader.line_num} 行附近引号不成对: {error}",
                f"quotes do not match near line {reader.line_num}: {error}",
            ),
            Message("请用表格软件重新导出为 CSV", "export the file again as CSV"),
        ) from error


def _separator(text: str) -> str:
    """The candidate that splits the first lines into most columns: headers hold no stray separators."""
    head = [line for line in text[:_HEAD].splitlines()[:5] if line.strip()]
    return max(_SEPARATORS, key=lambda mark: max(line.count(mark) for line in head))
