"""Files made to do harm: refused by name in both languages, in bounded time and memory, or read as plain text."""

from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from ingestion import archive, landing
from ingestion.account import Delivery
from ingestion.contracts.home import Home
from ingestion.contracts.messages import Refusal
from ingestion.layouts.files import load_layouts
from ingestion.layouts.patterns import compiled
from ingestion.load import Loaded, Rules, load
from ingestion.readers import workbook

DAY = date(2024, 5, 1)
EXAMPLE = Path("examples/district/clean/landing")


def refused(rules: Rules, source: str, name: str, data: bytes) -> str:
    found = load(Delivery("f1", source, name), data, rules)
    assert found.refusal is not None
    for text in (found.refusal.reason, found.refusal.mend):
        assert text.zh
        assert text.en
    assert found.n_rows == 0
    return found.refusal.code


# ---------- XML

XML = b"""<?xml version="1.0"?>%s<Energy><a>%s</a></Energy>"""
TRAPS = {
    "external": (b'<!DOCTYPE Energy [<!ENTITY x SYSTEM "file:///etc/hostname">]>', b"&x;"),
    "network": (b'<!DOCTYPE Energy [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>', b"&x;"),
    "external-dtd": (b'<!DOCTYPE Energy SYSTEM "file:///etc/hostname">', b"1"),
    "parameter": (b'<!DOCTYPE Energy [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]>', b"1"),
    "laughs": (
        b"<!DOCTYPE Energy [<!ENTITY a 'ha'>"
        + b"".join(b"<!ENTITY %c '%s'>" % (code + 1, b"&%c;" % code * 10) for code in range(97, 110))
        + b"]>",
        b"&n;",
    ),
}


@pytest.mark.parametrize("kind", TRAPS)
def test_entities_are_refused(rules: Rules, kind: str) -> None:
    head, body = TRAPS[kind]
    assert refused(
        rules, "metering", "a_Energy.xml", XML.replace(b"%s", head, 1).replace(b"%s", body, 1)
    ) in (
        "xml_with_entities",
        "broken_xml",
    )


def test_another_document_is_never_included(rules: Rules) -> None:
    path = EXAMPLE / "metering/Build.xml"
    include = b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/hostname" parse="text"/>'
    data = path.read_bytes()
    end = data.rindex(b"</")
    found = load(Delivery("f1", "metering", "Build.xml"), data[:end] + include + data[end:], rules)
    assert found.refusal is None
    host = socket.gethostname()
    assert all(host not in str(frame.to_dicts()) for frame in found.tables.values())


# ---------- workbooks


def book(parts: dict[str, bytes] | None = None, replaced: dict[str, bytes] | None = None) -> bytes:
    """A small workbook with parts added or replaced."""
    plain = io.BytesIO()
    table = openpyxl.Workbook()
    table.active.append(["a", 1])
    table.save(plain)
    packed = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, (replaced or {}).get(name, old.read(name)))
        for name, data in (parts or {}).items():
            new.writestr(name, data)
    return packed.getvalue()


OLE_WITH_MACRO = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + "_VBA_PROJECT_CUR".encode("utf-16-le") + b"\0" * 480
)
LAUGHING = XML.replace(b"%s", TRAPS["laughs"][0], 1).replace(b"%s", TRAPS["laughs"][1], 1)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.xlsm", book({"xl/vbaProject.bin": b"x"}), "macro_workbook"),
        ("renamed.xlsx", book({"xl/vbaProject.bin": b"x"}), "macro_workbook"),
        ("old_macros.xlsx", book({"xl/macrosheets/sheet1.xml": b"<x/>"}), "macro_workbook"),
        ("a.xls", OLE_WITH_MACRO, "macro_workbook"),
        ("strings.xlsx", book({"xl/sharedStrings.xml": LAUGHING}), "xml_with_entities"),
        (
            "links.xlsx",
            book({"xl/externalLinks/_rels/a.rels": XML.replace(b"%s", TRAPS["external"][0], 1)}),
            "xml_with_entities",
        ),
        ("bomb.xlsx", book({"xl/media/zeros.bin": b"\0" * (601 << 20)}), "too_large_inside"),
        ("torn.xlsx", book()[:-200], "not_a_workbook"),
        ("text.xlsx", b"a,b\n1,2\n", "not_a_workbook"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_workbooks_are_refused(rules: Rules, name: str, data: bytes, code: str) -> None:
    assert refused(rules, "energy_audit", name, data) == code


def test_a_container_that_lies_about_its_size_is_refused(rules: Rules) -> None:
    data = bytearray(book({"xl/media/zeros.bin": b"\0" * (1 << 20)}))
    at = data.rindex(b"xl/media/zeros.bin") - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = (2000 << 20).to_bytes(4, "little")
    assert refused(rules, "energy_audit", "a.xlsx", bytes(data)) == "too_large_inside"


def test_formulas_and_links_are_what_they_last_showed() -> None:
    packed = io.BytesIO()
    made = xlsxwriter.Workbook(packed, {"in_memory": True})
    sheet = made.add_worksheet()
    sheet.write_formula(0, 0, '=HYPERLINK("http://127.0.0.1:9/?x="&A2)', value="shown")
    sheet.write_formula(1, 0, "='http://127.0.0.1:9/[a.xlsx]S'!A1", value=7)
    sheet.write_string(2, 0, "=cmd|'/c calc'!A1")
    made.close()
    rows = list(workbook.read_sheets(packed.getvalue())[0].rows())
    assert rows == [("shown",), ("7",), ("=cmd|'/c calc'!A1",)]


def test_the_widest_workbook_is_read() -> None:
    packed = io.BytesIO()
    made = xlsxwriter.Workbook(packed, {"constant_memory": True})
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, [f"n{number}" for number in range(16384)])
    sheet.write_row(1, 0, list(range(16384)))
    made.close()
    (found,) = workbook.read_sheets(packed.getvalue())
    assert (found.width, found.cell(2, 16384)) == (16384, "16383")


# ---------- text and JSON


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("wide.csv", b"x" + b"," * 10**6, "too_many_columns"),
        ("bomb.csv.gz", gzip.compress(b"0," * (16 << 20)), "expands_too_far"),
        ("nested.csv.gz", gzip.compress(gzip.compress(b"0," * (64 << 20))), "not_text"),
        (
            "deep.json",
            b'{"reportCode": "NY201_2020", "documents": ' + b"[" * 10**5 + b"]" * 10**5 + b"}",
            "broken_json",
        ),
        (
            "wide.json",
            b'{"reportCode": "NY201_2020", "documents": [{'
            + b",".join(b'"k%d":1' % n for n in range(10**6))
            + b"}]}",
            "too_many_columns",
        ),
        (
            "twice.json",
            b"{" + b",".join(b'"k%d":1' % n for n in range(10**5)) + b',"k99999":2}',
            "key_twice",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_text_without_measure_is_refused(rules: Rules, name: str, data: bytes, code: str) -> None:
    assert refused(rules, "direct_report", name, data) == code


def test_the_refusal_is_told_in_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "wide\n\u202egnp.csv"
    file.write_bytes(b"x" + b"," * 10**6)
    for lang, words in (("zh", "超过 16384 列"), ("en", "more than 16384")):
        done = subprocess.run(
            [str(Path(sys.executable).parent / "tancang"), "check", str(file), "--home", str(tmp_path)],
            env=os.environ | {"TANCANG_LANG": lang},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert words in done.stdout
        assert "\u202e" not in done.stdout
        assert "wide\\x0a\\u202egnp.csv" in done.stdout


# ---------- layouts


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a*)*b", r"(\w+\s?)*$", "(a|a?)+", "(a|ab)*c", "((a{1,50})+)", "(.*,)*x", "("],
)
def test_an_expression_that_can_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"regular expression|for ever"):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"\d+(\.\d+)?", "(?P<code>\\d{3,4})", "(a|b)+c", r".*\(%\)|x.*", r"(\d{1,3},)*\d{3}", "(?:kWh|m3)*"],
)
def test_ordinary_expressions_are_kept(pattern: str) -> None:
    assert compiled(pattern) == pattern


LAYOUT = """
id: trap
title: {{zh: 陷阱, en: trap}}
source: direct_report
target: values
form: NY201
edition: "2020"
kind: delimited
recognise: {{columns: [code], path: {path}}}
tables:
  - fields: {{institution_id: {{column: code, matches: {matches}}}, year: {{constant: "2020", kind: integer}}}}
    values: [{{columns: power, item: "110", unit: {{constant: kWh}}}}]
"""
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        LAYOUT.format(path="'*'", matches="'(a+)+'"),
        "!!python/object/apply:os.system ['touch harm']",
        BOMB,
        "a: &a [*a]",
        "[" * 5000,
    ],
    ids=["expression", "object", "aliases", "circle", "deep"],
)
def test_a_hostile_layout_is_refused(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts" / "a.yml").write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as found:
        load_layouts([tmp_path / "layouts"])
    assert found.value.code == "bad_layout"
    assert "a.yml" in found.value.reason.zh
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("path", ["'../../*'", "/etc/*", "'..'"])
def test_a_layout_that_points_elsewhere_reads_nothing_from_there(
    rules: Rules, tmp_path: Path, path: str
) -> None:
    (tmp_path / "a.yml").write_text(LAYOUT.format(path=path, matches="'.+'"), encoding="utf-8")
    only = Rules(load_layouts([tmp_path]), rules.reference)
    assert refused(only, "direct_report", "a.csv", b"code,power\nx,1\n") == "unknown_layout"


# ---------- what lies in landing


def home_with(tmp_path: Path) -> tuple[Home, Path]:
    folder = tmp_path / "landing" / "direct_report"
    folder.mkdir(parents=True)
    return Home(tmp_path), folder


def test_only_ordinary_files_inside_landing_are_read(tmp_path: Path) -> None:
    home, folder = home_with(tmp_path)
    (tmp_path / "secret.csv").write_text("secret")
    (folder / "good.csv").write_text("a,b")
    os.mkfifo(folder / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket.csv"))
    (folder / "device.csv").symlink_to("/dev/zero")
    (folder / "out.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "gone.csv").symlink_to(folder / "nothing")
    (folder / "round.csv").symlink_to(folder / "round.csv")
    (folder / "folder.csv").mkdir()
    (folder / "folder.csv" / "inside.csv").write_text("c,d")
    assert [item.path for item in archive.seal(home, DAY)] == ["folder.csv/inside.csv", "good.csv"]
    passed = {name: why.en for _, name, why in landing.passed_over(home)}
    assert set(passed) == {"pipe.csv", "socket.csv", "device.csv", "out.csv", "gone.csv", "round.csv"}
    assert "pipe" in passed["pipe.csv"]
    assert passed["out.csv"] == "points outside landing"


NAMES = [
    b"line\nbreak.csv",
    b"bell\x07.csv",
    "right\u202evsc.exe".encode(),
    b"bad\xff\xfe.csv",
    b"name..csv",
    b"x" * 251 + b".csv",
    b"-rf.csv",
    b"=1+1.csv",
]


def test_names_of_any_kind_are_sealed_once_and_shown_plainly(tmp_path: Path) -> None:
    home, folder = home_with(tmp_path)
    for number, name in enumerate(NAMES):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(f"a,{number}")
    sealed = archive.seal(home, DAY)
    assert len(sealed) == len(NAMES)
    assert archive.seal(home, DAY) == []
    names = {item.path for item in archive.receipts(home)}
    assert {
        "line\\x0abreak.csv",
        "bell\\x07.csv",
        "right\\u202evsc.exe",
        "bad\\xff\\xfe.csv",
        "name..csv",
    } <= names
    assert all(name.isprintable() for name in names)


def test_a_file_that_cannot_be_read_does_not_end_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, folder = home_with(tmp_path)
    (folder / "locked.csv").write_text("a")
    (folder / "open.csv").write_text("b")
    real = os.access
    # who runs the tests may be allowed to read everything
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked.csv" and real(path, mode))
    assert [item.path for item in archive.seal(home, DAY)] == ["open.csv"]
    assert [(name, why.en) for _, name, why in landing.passed_over(home)] == [
        ("locked.csv", "may not be read")
    ]


def test_a_file_that_goes_between_two_looks_does_not_end_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, folder = home_with(tmp_path)
    (folder / "going.csv").write_text("a")
    real = archive._store

    def going(home: Home, path: Path) -> tuple[str, int] | None:
        path.unlink()
        return real(home, path)

    monkeypatch.setattr(archive, "_store", going)
    assert archive.seal(home, DAY) == []


def test_a_full_disk_is_no_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, folder = home_with(tmp_path)
    (folder / "good.csv").write_text("a")

    def full(home: Home, path: Path) -> tuple[str, int] | None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_store", full)
    with pytest.raises(OSError, match="No space"):
        archive.seal(home, DAY)


def test_a_file_that_grows_while_it_is_sealed_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, folder = home_with(tmp_path)
    file = folder / "growing.csv"
    file.write_text("a" * 10)
    real = os.fsync

    def growing(number: int) -> None:
        with file.open("a") as handle:
            handle.write("b")
        real(number)

    monkeypatch.setattr(os, "fsync", growing)
    assert archive.seal(home, DAY) == []
    monkeypatch.setattr(os, "fsync", real)
    (receipt,) = archive.seal(home, DAY)
    assert archive.read_sealed(home, receipt.sha256) == file.read_bytes()


def test_a_parser_that_gives_up_ends_in_a_refusal(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def panic(_: bytes, separator: str | None = None) -> Loaded:
        raise PanicException("index out of bounds")

    monkeypatch.setattr(workbook, "read_sheets", panic)
    assert refused(rules, "energy_audit", "a.xlsx", book()) == "unreadable"
