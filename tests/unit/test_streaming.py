"""Large files: the streamed roads give what the general reader gives, whatever stands in the file."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from ingestion import counting, readings
from ingestion.account import Delivery
from ingestion.contracts.codes import CodeMapping
from ingestion.contracts.corrections import Correction
from ingestion.layouts.model import Layout
from ingestion.load import Loaded, Rules, load
from ingestion.streaming import chunks, large, pieces, typed

LONG = """
id: made.long
title: {zh: 甲, en: a}
source: metering
target: readings
reading_kind: interval
form: made
edition: "1"
kind: delimited
recognise: {columns: [表号, 时刻, 电量]}
tables:
  - interval_minutes: 15
    fields:
      meter_id: {column: 表号, matches: '[A-Z][0-9]+'}
      building_code: {constant: B1}
      starts_at: {column: 时刻, kind: datetime}
    values:
      - {columns: 电量, item: '01000', unit: {constant: kWh}}
    ignore_columns:
      - {columns: 备注, why: {zh: 无, en: none}}
"""
LOOKUP = """
id: made.lookup
title: {zh: 甲, en: a}
source: metering
target: readings
reading_kind: interval
form: made
edition: "1"
kind: delimited
recognise: {columns: [meter, fuel, uom, from, to, amount]}
tables:
  - header_rows: [2]
    nothing: ['-', 'NULL']
    fields:
      meter_id: {column: meter}
      building_code: {path: '([a-z]+)'}
      item: {column: fuel, lookup: {electricity: '01000', gas: '03000'}}
      starts_at: {column: from, kind: datetime, format: ['%d/%m/%Y %H:%M', '%Y-%m-%d %H:%M']}
      ends_at: {column: to, kind: datetime, optional: true}
      multiplier: {column: factor, kind: number, optional: true}
    values:
      - {columns: amount, item: '{item}', unit: {column: uom}, nothing: [nan]}
"""
INTERVALS = "building_code,item_code,start_time,end_time,value,unit"


@pytest.fixture(scope="module")
def own(rules: Rules) -> Rules:
    made = [Layout.model_validate(yaml.safe_load(text)) for text in (LONG, LOOKUP)]
    return Rules([*rules.layouts, *made], rules.reference)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as opened:
        yield opened


class Both:
    """One file by both roads. `road` says which one the streamed reader took."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, own: Rules, folder: Path, data: bytes, name: str
    ) -> None:
        delivery = Delivery("f1", "metering", name)
        path = folder / "sealed"
        path.write_bytes(data)
        self.con = con
        self.general = load(delivery, data, own)
        found = large.load_large(
            con, delivery, path, hashlib.sha256(data).hexdigest(), own, folder / "made" / "f1.parquet"
        )
        self.streamed = found

    def check(self) -> None:
        general, streamed = self.general, self.streamed
        assert streamed is not None
        assert refused(streamed) == refused(general)
        if general.refusal is not None:
            return
        assert "readings" in streamed.at_rest
        assert streamed.layout == general.layout
        assert at_rest(self.con, streamed) == typed_rows(self.con, general)
        assert streamed.n_rows == general.n_rows
        assert told(streamed.quarantine) == told(general.quarantine)
        assert told(streamed.notes) == told(general.notes)
        assert streamed.counts == general.counts
        assert +streamed.applied == +general.applied
        assert +streamed.settled == +general.settled


def refused(loaded: Loaded) -> tuple[str, str] | None:
    return (loaded.refusal.code, loaded.refusal.reason.en) if loaded.refusal else None


def told(frame: pl.DataFrame) -> list[str]:
    return sorted(map(repr, frame.rows()))


def typed_rows(con: duckdb.DuckDBPyConnection, loaded: Loaded) -> list[tuple[object, ...]]:
    con.register("general", loaded.rows.to_arrow())
    return con.execute(readings.typed("general") + " order by line, column_number").fetchall()


def at_rest(con: duckdb.DuckDBPyConnection, loaded: Loaded) -> list[tuple[object, ...]]:
    """Rows in the order in which they rest, which is the order of the file."""
    assert "readings" in loaded.at_rest
    names = ", ".join(readings.COLUMNS)
    path = loaded.at_rest["readings"].path
    query = f"select {names} from read_parquet('{path}')"
    types = con.execute(f"describe {query}").fetchall()
    assert {str(row[0]): str(row[1]) for row in types} == readings.COLUMNS
    return con.execute(query).fetchall()


GOOD = "{building},{item},2021-01-{day:02}T{hour:02}:{minute:02}:00,2021-01-{day:02}T{hour:02}:{minute:02}:59,{value},{unit}"
ODD_VALUES = [
    "1e3", "1_000", "nan", "-5", "", "12.34567", "12.340000", "1.00000049", "+5", ".5", "5.", " 5 ", "０１２", "1,5",
    "inf", "99999999999999", "1234567890123.5", "0x1F", "-0.0", "--", "見附件", "1 000", "5\u00a0", "١", "1.5E+2", "00012.5",
    "999999999999.9999", "1000000000000", "0", "0.0000",
]  # fmt: skip
ODD_STAMPS = [
    "2021-01-01T00:00:00+08:00", "2021-01-01T00:00:00Z", "2021-01-01T24:00:00", "2021-01-01 24:00:00", "2021-02-29 00:00:00",
    "2021-1-1 0:0:0", "2021/01/01 00:00", "2021-01-01", "", "2021-01-01 00:00:60", "1899-12-31 00:00:00", "0018-01-01 00:00:00",
    "2021-01-01  00:00:00", " 2021-01-01 00:00:00 ", "2021-01-01 00:00:00.5", "20210101 000000", "2300-01-01 00:00:00", "昨天",
    "2021-01-01T00:00:00", "2021-13-01 00:00:00",
]  # fmt: skip


def made(seed: int, n: int = 300, share: float = 0.1) -> list[str]:
    """Lines of interval values, some of them with something wrong or strange."""
    dice = random.Random(seed)
    found = []
    for _ in range(n):
        cells = {
            "building": dice.choice(["B1", "B2", "GHZX_A_001"]),
            "item": dice.choice(["01000", "01A00"]),
            "day": dice.randint(1, 28),
            "hour": dice.randint(0, 23),
            "minute": dice.choice([0, 15, 30, 45]),
            "value": dice.choice(["12.34", "0", "7", "0.5", "123.4567", "80.10"]),
            "unit": "kWh",
        }
        line = GOOD.format(**cells)
        if dice.random() < share:
            line = damaged(line, dice)
        found.append(line)
    return found


def damaged(line: str, dice: random.Random) -> str:
    cells = line.split(",")
    kind = dice.randrange(12)
    if kind == 0:
        cells[4] = dice.choice(ODD_VALUES)
    elif kind == 1:
        cells[dice.choice([2, 3])] = dice.choice(ODD_STAMPS)
    elif kind == 2:
        return ",".join(cells[: dice.randint(1, 5)])
    elif kind == 3:
        return line + dice.choice([",7", ",", ",,", ", ", ",x,y"])
    elif kind == 4:
        cells[5] = dice.choice(["kwh", "斤", "ｋＷｈ", " kWh", "", "万kWh", "MWh"])
    elif kind == 5:
        cells[1] = dice.choice(["99999", "", "01000 ", "０１０００"])
    elif kind == 6:
        return dice.choice(["", "   ", ",,,,,", ",", "\t"])
    elif kind == 7:
        return line + "\n" + line
    elif kind == 8:
        cells[0] = dice.choice(["", " ", "B1 ", "\u3000B1", "乙"])
    elif kind == 9:
        cells[4] = "-" + cells[4]
    elif kind == 10:
        return INTERVALS
    else:
        cells[dice.randrange(6)] = dice.choice(["", "'", "#", "\\", "=1+1", "\x0b"])
    return ",".join(cells)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("seed", range(8))
def test_the_typed_road_gives_what_the_general_reader_gives(
    con: duckdb.DuckDBPyConnection,
    own: Rules,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    encoding: str,
    end: str,
) -> None:
    text = "\n".join([INTERVALS, *made(seed)]) + ("\n" if seed % 2 else "")
    monkeypatch.setattr(chunks, "read", never)
    data = text.replace("\n", end).encode(encoding, errors="replace")
    Both(con, own, tmp_path, data, "a.csv").check()


@pytest.mark.parametrize("n_bytes", [2_000, 1 << 20])
@pytest.mark.parametrize("head_end", ["\r", "\n", "\r\n"])
def test_lines_end_in_any_of_the_three_ways(
    con: duckdb.DuckDBPyConnection,
    own: Rules,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    head_end: str,
    n_bytes: int,
) -> None:
    monkeypatch.setattr(chunks, "read", never)
    monkeypatch.setattr(pieces, "PIECE_BYTES", n_bytes)
    body = made(3)
    ends = ["\r", "\n", "\r\n", "\r\r\n", "\n\r"]
    lines = [line + ends[number % len(ends)] for number, line in enumerate(body)]
    Both(con, own, tmp_path, (INTERVALS + head_end + "".join(lines)).encode(), "a.csv").check()


def never(*_: object) -> int:
    raise AssertionError("this file goes the typed road")


WRAPPINGS = {
    "gzip": gzip.compress,
    "gzip of two members": lambda data: gzip.compress(data[:1001]) + gzip.compress(data[1001:]),
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "utf-16-be": lambda data: codecs.BOM_UTF16_BE + data.decode().encode("utf-16-be"),
    "gzip of utf-16": lambda data: gzip.compress(data.decode().encode("utf-16")),
}


@pytest.mark.parametrize("name", WRAPPINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_is_wrapped_goes_the_typed_road_too(
    con: duckdb.DuckDBPyConnection,
    own: Rules,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    end: str,
) -> None:
    monkeypatch.setattr(chunks, "read", never)
    monkeypatch.setattr(counting, "_BLOCK", 300)
    data = WRAPPINGS[name](end.join([INTERVALS + ",多", *made(7, 300, 0.2)]).encode())
    Both(con, own, tmp_path, data, "a.csv").check()
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["f1.parquet"]


@pytest.mark.parametrize("damage", [slice(None, -500), slice(None, 5000)])
def test_a_broken_gzip_is_for_the_general_reader(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path, damage: slice
) -> None:
    data = gzip.compress("\n".join([INTERVALS, *made(7, 3000)]).encode())[damage]
    both = Both(con, own, tmp_path, data, "a.csv.gz")
    assert both.streamed is None
    assert both.general.refusal is not None
    assert both.general.refusal.code == "broken_gzip"
    assert not list((tmp_path / "made").iterdir())


CHUNKED = {
    "quotes": '"B1","01000","2021-01-01T00:00:00","2021-01-01T00:15:00","1,5","kWh"',
    "a line break in quotes": 'B1,01000,2021-01-01T00:00:00,2021-01-01T00:15:00,1.5,"k\nWh"',
}


@pytest.mark.parametrize("name", CHUNKED)
def test_what_needs_the_general_reader_is_given_to_it_in_chunks(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_RECORDS", 17)
    monkeypatch.setattr(typed, "rows", never)
    body = made(3)
    body[150:150] = [CHUNKED[name]] * 3
    body.append("B1,01000,2021-01-01T00:00:00,2021-01-01T00:15:00,1.234567,kWh")
    Both(con, own, tmp_path, "\n".join([INTERVALS + ",甲", *body]).encode(), "a.csv").check()


def test_quotes_that_do_not_match_refuse_the_file(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path
) -> None:
    text = "\n".join([INTERVALS, *made(1, 2000), '"B1,01000'])
    both = Both(con, own, tmp_path, text.encode(), "a.csv")
    assert both.general.refusal is not None
    assert both.general.refusal.code == "broken_quotes"
    both.check()


@pytest.mark.parametrize(("n_bytes", "n_block"), [(2_000, 2_000), (9_000, 9_000), (1 << 20, 700)])
@pytest.mark.parametrize("seed", range(4))
def test_pieces_give_what_the_whole_gives(
    con: duckdb.DuckDBPyConnection,
    own: Rules,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    n_bytes: int,
    n_block: int,
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", n_bytes)
    monkeypatch.setattr(pieces, "BLOCK_BYTES", n_block)
    monkeypatch.setattr(readings, "ROW_GROUP", 37)
    monkeypatch.setattr(chunks, "CHUNK_RECORDS", 50)
    monkeypatch.setattr(chunks, "read", never)
    text = "\r\n".join([INTERVALS + ",多", *made(seed, 400, 0.2)])
    Both(con, own, tmp_path, text.encode("gb18030", errors="replace"), "a.csv").check()


@pytest.mark.parametrize("n_rare", [0, 1, 20])
@pytest.mark.parametrize("seed", range(3))
def test_it_does_not_matter_which_kinds_are_rare(
    con: duckdb.DuckDBPyConnection,
    own: Rules,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    n_rare: int,
) -> None:
    monkeypatch.setattr(typed, "MAX_RARE", n_rare)
    monkeypatch.setattr(chunks, "read", never)
    Both(con, own, tmp_path, "\n".join([INTERVALS, *made(seed, 400, 0.3)]).encode(), "a.csv").check()


def stamped(seed: int) -> str:
    """Text with two forms of one stamp, a second header line, items and units by other names."""
    dice = random.Random(seed)
    rows = ["an export;;;;;;", "meter;fuel;uom;from;to;amount;factor"]
    for _ in range(200):
        day, hour = dice.randint(1, 28), dice.randint(0, 23)
        start = dice.choice([f"{day:02}/03/2021 {hour:02}:00", f"2021-03-{day:02} {hour:02}:00"])
        if dice.random() < 0.05:
            start = dice.choice(
                ["13/13/2021 00:00", "-", "3/4/21 00:00", "2021-03-01T00:00", "1/2/2021 3:04"]
            )
        end = dice.choice([f"2021-03-{day:02} {hour:02}:45", f"2021-03-{day:02} {hour:02}:45", ""])
        amount = dice.choice(
            ["1.5", "20", "0.25"] if dice.random() < 0.9 else ["nan", "-", "NULL", "1.23456", "x"]
        )
        kind = dice.choice([("electricity", "kWh"), ("electricity", "MWh"), ("gas", "m3"), ("coal", "t")])
        rows.append(
            ";".join(
                [f"M{dice.randint(1, 9)}", *kind, start, end, amount, dice.choice(["", "80", "1.50", "x"])]
            )
        )
    return "\n".join(rows)


@pytest.mark.parametrize("seed", range(6))
def test_lookups_and_several_forms_of_a_stamp_are_the_layouts(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(chunks, "read", never)
    Both(con, own, tmp_path, stamped(seed).encode(), "house.csv").check()


@pytest.mark.parametrize("seed", range(4))
def test_the_other_side_of_a_reading_comes_from_its_length(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(chunks, "read", never)
    dice = random.Random(seed)
    rows = ["表号\t备注\t时刻\t电量"]
    for number in range(200):
        meter = dice.choice(["M1", "M2", "M3"]) if dice.random() < 0.9 else dice.choice(["", "m1", "合计"])
        rows.append(
            f"{meter}\t{dice.choice(['', str(number)])}\t2021/5/{dice.randint(1, 31)} 0:15\t{dice.random():.3f}"
        )
    Both(con, own, tmp_path, "\n".join(rows).encode("gb18030"), "a.txt").check()


def test_registers_keep_their_multiplier_and_replacements(
    con: duckdb.DuckDBPyConnection,
    own: Rules,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    checkout: Path,
) -> None:
    monkeypatch.setattr(chunks, "read", never)
    data = (checkout / "examples/district/clean/landing/metering/registers_2021.csv").read_bytes()
    Both(con, own, tmp_path, data, "registers_2021.csv").check()


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (Path(__file__).parents[1] / "data/meter_exports").rglob("*.csv"))
)
def test_strangers_exports_are_read_whole_or_alike(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path, name: str
) -> None:
    for path in (Path(__file__).parents[1] / "data/meter_exports").rglob(name):
        both = Both(con, own, tmp_path, path.read_bytes(), name)
        if both.streamed is not None:
            both.check()


@pytest.mark.parametrize("seed", range(3))
def test_corrections_of_a_meter_look_at_the_day_of_each_reading(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(chunks, "read", never)
    corrections = [
        Correction(
            id=f"c{number}",
            source="metering",
            building=building,
            item="01000",
            starts_on=date(2021, 1, 10),
            ends_on=ends_on,
            expect="kWh",
            unit="MWh",
            reason="wrong unit",
            reviewer="a",
        )
        for number, (building, ends_on) in enumerate([("B1", date(2021, 1, 20)), ("B2", None)])
    ]
    rules = Rules(own.layouts, own.reference, corrections)
    both = Both(con, rules, tmp_path, "\n".join([INTERVALS, *made(seed)]).encode(), "a.csv")
    both.check()
    assert sum(both.general.applied.values()) > 20


@pytest.mark.parametrize("seed", range(2))
def test_mapped_codes_are_counted_by_the_row(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path, seed: int
) -> None:
    codes = [
        CodeMapping(
            source="metering",
            kind="unit",
            found="斤",
            means="kWh",
            reason="a slip",
            reviewer="a",
            since=date(2026, 1, 1),
        )
    ]
    rules = Rules(own.layouts, own.reference, codes=codes)
    body = made(seed) + [line.replace("kWh", "斤") for line in made(seed + 1)]
    both = Both(con, rules, tmp_path, "\n".join([INTERVALS, *body]).encode(), "a.csv")
    both.check()
    assert sum(both.general.settled.values()) > 200


def test_a_file_that_is_not_what_was_sealed_is_not_read(
    con: duckdb.DuckDBPyConnection, own: Rules, tmp_path: Path
) -> None:
    path = tmp_path / "sealed"
    path.write_text(INTERVALS + "\n")
    with pytest.raises(ValueError, match="has changed"):
        large.load_large(
            con, Delivery("f1", "metering", "a.csv"), path, "0" * 64, own, tmp_path / "f1.parquet"
        )


@pytest.mark.parametrize("seed", range(4))
def test_the_second_count_in_blocks_is_the_count_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(counting, "_BLOCK", 500)
    body = made(seed, 200, 0.4)
    for more in ([], ['"B1","0\n1000",x,y,"1,5"', ',,"",,']):
        data = "\r\n".join([INTERVALS, *body, *more, "", " , "]).encode("utf-8-sig")
        path = tmp_path / "a.csv"
        path.write_bytes(data)
        assert counting.count_records(path, None) == counting.count(data, "delimited")["record"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_lines_that_begin_beyond_ascii_are_counted_by_what_they_begin_with(
    tmp_path: Path, encoding: str
) -> None:
    begins = [
        "表1",
        "\u3000",
        "\u3000表",
        "\u00a0",
        "\u2003",
        "é",
        "，",
        "\u200b",
        "\u00b5",
        "🔌",
        "\ufeff",
        "\u3000,",
        "〇",
    ]
    lines_of = [f"{begin},{rest}" for begin in begins for rest in ("1", "", ",", "\u3000")]
    path = tmp_path / "a.csv"
    for body in (lines_of, [line for line in lines_of for _ in range(300)]):
        data = "\r\n".join(["a,b", *body, "", "表"]).encode(encoding)
        path.write_bytes(data)
        assert counting.count_records(path, None) == counting.count(data, "delimited")["record"]
