"""The second count: how many records and cells a file holds, by code that shares nothing with the readers.

Belongs here: counting only. The row ledger balances the loader's account against these numbers, so a
reader's helper must never be used here, however convenient (a test watches the imports of this module).
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

import numpy
import polars
from numpy.typing import NDArray

_BLANKS = bytes(code for code in range(1, 128) if chr(code).isspace() and code not in b"\r\n")
_WIDE_BLANKS = [chr(code) for code in range(128, 0x3001) if chr(code).isspace()]
_ENCODED_BLANKS = [blank.encode() for blank in _WIDE_BLANKS]
_WIDE_BEGINNINGS = sorted(
    {
        int.from_bytes(mark.encode(encoding)[:2], "big")
        for mark in _WIDE_BLANKS
        for encoding in ("utf-8", "gb18030")
    }
)
"""The first two bytes of every blank beyond ASCII."""

_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def count(
    data: bytes, kind: str, record_element: str | None = None, separator: str | None = None
) -> dict[str, int]:
    """Number of non-blank records and non-empty cells: {"record": n, "cell": n}; a kind counts what it can.

    delimited: records and cells, headers included. workbook: cells. xml: elements named `record_element`,
    and as cells leaf elements with text, and attributes.
    json: cells are scalar leaves that are neither null nor empty text.
    """
    data = _unpacked(data)
    if kind == "delimited":
        return _delimited(data, separator)
    if kind == "workbook":
        return {"cell": _workbook_cells(data)}
    if kind == "xml":
        n_cells = {"cell": _xml_cells(data)}
        return {"record": _xml_elements(data, record_element), **n_cells} if record_element else n_cells
    return {"cell": _json_leaves(data)}


def archive_entries(data: bytes) -> int:
    """How many entries a zip file says it has, from the last record of the file alone."""
    end = data.rfind(b"PK\x05\x06")
    return int.from_bytes(data[end + 10 : end + 12], "little")


def _unpacked(data: bytes) -> bytes:
    """The members of a gzip file one after the other; a reader that refuses bombs has seen the file before."""
    found = b""
    while data.startswith(b"\x1f\x8b"):
        member = zlib.decompressobj(wbits=31)
        found += member.decompress(data)
        data = member.unused_data
    return found or data


def _text(data: bytes) -> str:
    for mark, encoding in _BOMS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    try:
        # NUL bytes that are valid UTF-8 are the empty halves of UTF-16 without its mark
        return data.decode("utf-8").replace("\0", "").lstrip("\ufffd")
    except UnicodeDecodeError:
        if b"\0" in data:
            halves = [data.decode(encoding, errors="replace") for encoding in ("utf-16-le", "utf-16-be")]
            return max(halves, key=lambda text: sum(map(text.count, ",\t;|\n")))
        # counting needs only separators, quotes and line ends, which GB18030 keeps apart from its pairs
        return data.decode("gb18030", errors="replace")


def _separator(text: str) -> str:
    first = text.split("\n", 1)[0]
    is_named = first[:4].lower() == "sep=" and len(first.rstrip("\r\n")) >= 5
    return first[4] if is_named else max(",\t;$|", key=first.count)


def _delimited(data: bytes, separator: str | None) -> dict[str, int]:
    text = _text(data)
    separator = separator or _separator(text)
    if '"' in text:
        text = _without_quotes(text, separator)
    letters = text.encode("utf-8", "surrogatepass")
    mark = separator.encode("utf-8", "surrogatepass")
    if len(mark) > 1:
        letters, mark = letters.replace(b"\0", b"x").replace(mark, b"\0"), b"\0"
    # they begin in six ways, of which a file mostly has none; looking for one byte takes next to nothing
    for beginning in {blank[:2] for blank in _ENCODED_BLANKS}:
        if beginning[:1] in letters and beginning in letters:
            for blank in _ENCODED_BLANKS:
                letters = letters.replace(blank, b"") if blank.startswith(beginning) else letters
    shapes = letters.translate(_shapes(mark), _BLANKS.replace(mark, b""))
    return {"record": _starts(shapes.replace(b"\0", b"")), "cell": _starts(shapes)}


def _shapes(mark: bytes) -> bytes:
    """How bytes are translated: the separator to NUL, line ends to themselves, everything else to a letter."""
    shapes = bytearray(code if code in b"\r\n" else ord("x") for code in range(256))
    shapes[mark[0]] = 0
    return bytes(shapes)


def _without_quotes(text: str, separator: str) -> str:
    """The text with one letter for each quoted field that holds anything, and nothing for the others."""
    mark = re.escape(separator)
    quoted = re.compile(rf'(?:(?<=[{mark}\r\n])|\A)"((?:[^"]|"")*)"')
    return quoted.sub(lambda field: "x" if field[1].strip() else "", text)


def _starts(shapes: bytes) -> int:
    """How often a letter follows something that is none."""
    is_letter = numpy.frombuffer(b"\0" + shapes, dtype=numpy.uint8) == ord("x")
    return int(numpy.count_nonzero(is_letter[1:] & ~is_letter[:-1]))


_BLOCK = 1 << 20
_FEW = 1000


def count_records(path: Path, separator: str | None) -> int:
    """Records of a delimited file of any size, in bounded memory: as `count`, block by block."""
    n, is_first = 0, True
    for block in _blocks(path):
        if is_first:
            block = block.removeprefix(b"\xef\xbb\xbf")
            separator, is_first = separator or _separator(_text(block)), False
        n += _records(block, separator or ",")
    return n


def _blocks(path: Path) -> Iterator[bytes]:
    """Parts of a text, each cut behind a line end that stands outside quotes."""
    rest = b""
    for part in _as_utf8(_stream(path)):
        rest += part
        cut = rest.rfind(b"\n") + 1
        while cut and b'"' in rest and rest.count(b'"', 0, cut) % 2:
            cut = rest.rfind(b"\n", 0, cut - 1) + 1
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _stream(path: Path) -> Iterator[bytes]:
    """The bytes of a file, or of the members of a gzip file one after the other, as `_unpacked`."""
    with path.open("rb") as handle:
        rest = handle.read(_BLOCK)
        is_packed = rest.startswith(b"\x1f\x8b")
        while rest and not is_packed:
            yield rest
            rest = handle.read(_BLOCK)
        while rest.startswith(b"\x1f\x8b"):
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                yield member.decompress(rest, _BLOCK)
                rest = member.unconsumed_tail or (b"" if member.eof else handle.read(_BLOCK))
                if not rest and not member.eof:
                    yield member.flush()
                    return
            rest = member.unused_data
            rest += handle.read(_BLOCK) if len(rest) < 2 else b""


def _as_utf8(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Marked UTF-16 as UTF-8; all else as it is."""
    decoder = None
    for number, part in enumerate(part for part in parts if part):
        if number == 0 and part.startswith((b"\xff\xfe", b"\xfe\xff")):
            decoder = codecs.getincrementaldecoder("utf-16")()
        yield decoder.decode(part).encode("utf-8", "surrogatepass") if decoder else part


def _records(block: bytes, separator: str) -> int:
    """Line ends count where a line begins with a digit or a letter; others are looked at more closely."""
    if not block:
        return 0
    data = numpy.frombuffer(block, dtype=numpy.uint8)
    ends = numpy.flatnonzero(data == 10)
    if b'"' in block or (b"\r" in block and _has_lone_return(data, ends)):
        return _delimited(block, separator)["record"]
    starts = numpy.append(0, ends[ends < data.size - 1] + 1)
    first = data[starts]
    is_doubtful = (first < 48) | (first > 122) | (first == ord(separator))
    if not is_doubtful.any():
        return int(starts.size)
    doubtful = starts[is_doubtful]
    doubtful = doubtful[~_begin_with_letter(data, doubtful)]
    if doubtful.size > _FEW:
        return _delimited(block, separator)["record"]
    lines = (block[start : (block.find(b"\n", start) + 1) or None] for start in doubtful.tolist())
    return int(starts.size - doubtful.size) + sum(_delimited(line, separator)["record"] for line in lines)


def _has_lone_return(data: NDArray[numpy.uint8], ends: NDArray[numpy.int64]) -> bool:
    """Whether a carriage return stands anywhere but before a line feed."""
    n_before_ends = numpy.count_nonzero(data[ends[ends > 0] - 1] == 13)
    return bool(numpy.count_nonzero(data == 13) > n_before_ends)


def _begin_with_letter(data: NDArray[numpy.uint8], starts: NDArray[numpy.int64]) -> NDArray[numpy.bool_]:
    """Lines that begin with bytes above ASCII which begin no blank, in UTF-8 or in GB18030."""
    second = data[numpy.minimum(starts + 1, data.size - 1)].astype(numpy.int32)
    pairs = data[starts] * numpy.int32(256) + second
    return (pairs >= 128 * 256) & ~numpy.isin(pairs, _WIDE_BEGINNINGS)


def _workbook_cells(data: bytes) -> int:
    """Cells with a value in every worksheet part of an .xlsx; other containers by their own library."""
    if not data.startswith(b"PK"):
        import pandas

        sheets = pandas.read_excel(
            io.BytesIO(data), sheet_name=None, header=None, dtype=object, engine="calamine"
        )
        return int(sum(frame.notna().sum().sum() for frame in sheets.values()))
    n_cells = 0
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        blank = _blank_strings(parts)
        for name in parts.namelist():
            if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                n_cells += _sheet_cells(parts, name, blank)
    return n_cells


def _blank_strings(parts: zipfile.ZipFile) -> set[str]:
    """Indices of shared strings that hold no visible text."""
    if "xl/sharedStrings.xml" not in parts.namelist():
        return set()
    texts: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        if name.rsplit(":")[-1] == "si":
            texts.append("")

    def characters(text: str) -> None:
        if texts:
            texts[-1] += text

    _parse(parts.read("xl/sharedStrings.xml"), start, None, characters)
    return {str(index) for index, text in enumerate(texts) if not text.strip()}


def _sheet_cells(parts: zipfile.ZipFile, name: str, blank: set[str]) -> int:
    plain = None if blank else _plain_sheet_cells(parts, name)
    return plain if plain is not None else _parsed_sheet_cells(parts.read(name), blank)


def _plain_sheet_cells(parts: zipfile.ZipFile, name: str) -> int | None:
    """Cells by their value tags alone, some rows at a time; None where only a parser can tell."""
    n_cells, rest = 0, b""
    with parts.open(name) as opened:
        while block := opened.read(_BLOCK):
            if len(rest) > _LONGEST_ROW:
                return None
            rest += block
            cut = max(rest.rfind(b"<row"), 0)
            n = _plain_cells(rest[:cut])
            if n is None:
                return None
            n_cells, rest = n_cells + n, rest[cut:]
    n = _plain_cells(rest)
    return None if n is None else n_cells + n


def _plain_cells(data: bytes) -> int | None:
    """None where anything stands in the rows that only a parser can tell."""
    text = polars.Series([data], dtype=polars.Binary).cast(polars.String, strict=False)
    if text.null_count() or text.str.contains(_FOR_A_PARSER).any():
        return None
    n_cells = data.count(b"<v>") + data.count(b"<is>")
    if text.str.contains(_EMPTY).any():
        n_cells -= data.count(b"<v></v>") + data.count(b"<t></t>")
    return n_cells


_LONGEST_ROW = 16 << 20  # bytes; a longer one is for a parser
_FOR_A_PARSER = "|".join(
    [
        r"<v(?:[^>/]|/[^>])",
        r"<is(?:[^>]|>[^<]|><[^t]|><t[^>])",
        r"<!|:v[> ]|:is>",
        r"<[vt]>[\s&]",
        # a formula whose value is not there: the cell says something
        r"(?:</f>|<f(?: [^>]*)?/>)(?:[^<]|<[^v]|<v/|<v><)",
    ]
)
_EMPTY = r"<v></v>|<t></t>"


def _parsed_sheet_cells(data: bytes, blank: set[str]) -> int:
    n_cells = 0
    kind, text, in_value, has_formula = "", "", False, False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal kind, text, in_value, has_formula
        local = name.rsplit(":")[-1]
        if local == "c":
            kind, text, has_formula = attributes.get("t", "n"), "", False
        elif local == "f":
            has_formula = True
        elif local in ("v", "t"):
            in_value = True

    def end(name: str) -> None:
        nonlocal n_cells, in_value
        local = name.rsplit(":")[-1]
        if local in ("v", "t"):
            in_value = False
        elif local == "c":
            is_blank = not text.strip() or (kind == "s" and text.strip() in blank)
            # a formula without its value is a cell that says something, though not what it is worth
            is_open = has_formula and not text.strip() and kind != "str"
            n_cells += is_open or not is_blank

    def characters(part: str) -> None:
        nonlocal text
        if in_value:
            text += part

    _parse(data, start, end, characters)
    return n_cells


def _xml_elements(data: bytes, element: str) -> int:
    n = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal n
        n += name.rsplit(":")[-1] == element

    _parse(data, start, None, None)
    return n


def _xml_cells(data: bytes) -> int:
    """Elements that hold text and no element, and attributes that are not blank; namespaces are no attributes."""
    n = 0
    texts: list[str | None] = []

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal n
        if texts:
            texts[-1] = None
        texts.append("")
        n += sum(bool(value.strip()) for name, value in attributes.items() if not name.startswith("xmlns"))

    def end(_: str) -> None:
        nonlocal n
        n += bool((texts.pop() or "").strip())

    def characters(part: str) -> None:
        if texts[-1] is not None:
            texts[-1] += part

    _parse(data, start, end, characters)
    return n


def _parse(data: bytes, start, end, characters) -> None:  # type: ignore[no-untyped-def]
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if characters is not None:
        parser.CharacterDataHandler = characters
    parser.Parse(data, True)


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[0-9.eE+-]*|true|false|null|[\[\]{}:,]')


def _json_leaves(data: bytes) -> int:
    """Scalar values (not keys) that are neither null nor an empty string, by tokens alone."""
    tokens = _JSON_TOKEN.findall(_text(data))
    n = 0
    for index, token in enumerate(tokens):
        if token in ("null", '""') or token in "[]{}:,":
            continue
        is_key = token.startswith('"') and index + 1 < len(tokens) and tokens[index + 1] == ":"
        n += not is_key
    return n
