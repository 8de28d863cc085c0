"""One return in every shape, container and encoding gives the same raw values, each with its own place."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest

from ingestion.account import Delivery
from ingestion.contracts.identity import cell_name
from ingestion.contracts.messages import Refusal
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.load import Loaded, Rules, load
from ingestion.reference import item_names, load_reference

FORMS = ("NY201", "NY202", "NY203", "NY301", "NY302", "NY303")
EDITIONS = ("2020", "2022", "2025")
SHAPES = ("columns_f", "columns_p", "labels", "long")
TEXTS = {
    "gbk": "gbk",
    "gb18030": "gb18030",
    "utf-8": "utf-8",
    "utf-8 with mark": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16 little end, no mark": "utf-16-le",
    "utf-16 big end, no mark": "utf-16-be",
}
UNITS = {
    "kgce": "tce",
    "": "kVA",
    "person": "人",
    "vehicle": "辆",
    "unit": "个",
    "CNY": "万元",
    "kWh": "万kWh",
}


@dataclass
class Return:
    """One institution's return: items with number and unit, as people write them."""

    form: str = "NY201"
    edition: str = "2020"
    room: str | None = None
    period: str = "2021003"
    values: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def report_code(self) -> str:
        return f"{self.form}_{self.edition}"

    def key(self) -> list[str]:
        return [
            self.report_code, "11310118YY9000001A", "一号示例中学", "310118", self.period, self.room or "", "7", "2",
        ]  # fmt: skip


KEYS = ["报表代码", "机构代码", "单位名称", "区划代码", "报告期", "目录项", "任务状态", "版次"]


def full_return(form: str, edition: str) -> Return:
    """Every item that the form has in this edition."""
    reference = load_reference()
    gone = reference.not_in_edition(form, edition)
    codes = [code for of, code in reference.items if of == form and code not in gone]
    room = {"NY202": "0001", "NY301": "S001", "NY302": "S001", "NY303": "S001"}.get(form)
    return Return(
        form,
        edition,
        room,
        values={
            code: (f"{100 + n}.25", UNITS.get(unit, unit))
            for n, code in enumerate(dict.fromkeys(codes))
            for unit in [reference.items[form, code] or ""]
        },
    )


def name_of(form: str, code: str) -> str:
    return next(
        name for name, of in item_names(form).items() if of == code and "：" not in name and "（" not in name
    )


def grid(sent: Return, shape: str) -> list[list[str]]:
    codes, numbers = list(sent.values), [number for number, _ in sent.values.values()]
    units = [unit for _, unit in sent.values.values()]
    labels = [f"{name_of(sent.form, code)}({unit})" for code, unit in zip(codes, units, strict=True)]
    if shape == "columns_f":
        return [
            KEYS + [f"f{code}" for code in codes],
            ["单位"] + [""] * (len(KEYS) - 1) + units,
            sent.key() + numbers,
        ]
    if shape == "columns_p":
        return [[f"p{n}" for n in range(len(KEYS) + len(codes))], KEYS + labels, sent.key() + numbers]
    if shape == "labels":
        return [KEYS + labels, sent.key() + numbers]
    return [[*KEYS, "指标代码", "指标名称", "数值", "计量单位"]] + [
        [*sent.key(), code, name_of(sent.form, code), number, unit]
        for code, (number, unit) in sent.values.items()
    ]


def delimited(rows: list[list[str]], encoding: str, separator: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)


def workbook(rows: list[list[str]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append([text or None for text in row])
    book.save(out)
    return out.getvalue()


def documents(sent: Return) -> bytes:
    record = {
        "respondentId": sent.key()[1], "respondentName": sent.key()[2], "areaCode": "310118",
        "periodId": sent.period, "taskStatus": "7", "release": 2, "catalogItemId": sent.room,
        "rowData": {code: number for code, (number, _) in sent.values.items()},
    }  # fmt: skip
    units = {code: unit for code, (_, unit) in sent.values.items()}
    return json.dumps({"reportCode": sent.report_code, "units": units, "documents": [record]}).encode()


def read(rules: Rules, data: bytes, path: str) -> Loaded:
    return load(Delivery("f1", "direct_report", path), data, rules)


@pytest.fixture(scope="module")
def rules(rules: Rules) -> Rules:
    """The register knows the institution, so that the 2025 edition counts it too."""
    return Rules(rules.layouts, rules.reference, register=frozenset({"11310118YY9000001A"}))


def said(found: Loaded) -> list[tuple[object, ...]]:
    """What the rows say, without where they stood."""
    columns = (
        "form_code", "edition", "layout_family", "institution_id", "institution_name", "region_code",
        "catalog_item_id", "year", "period_kind", "period_index", "task_state", "release_number", "item_code",
        "number_text", "unit_text",
    )  # fmt: skip
    return sorted(found.rows.select(columns).rows(), key=str)


def expected(sent: Return) -> list[tuple[object, ...]]:
    kind, index = ("month", int(sent.period[-2:])) if sent.period[-2:] != "00" else ("year", 0)
    head = (sent.form, sent.edition, sent.form, *sent.key()[1:4], sent.room, 2021, kind, index, "7", 2)
    return sorted(((*head, code, *value) for code, value in sent.values.items()), key=str)


def check(found: Loaded, sent: Return, layout_id: str) -> None:
    assert found.refusal is None, found.refusal
    assert found.layout is not None
    assert found.layout.id == layout_id
    assert found.quarantine.rows() == []
    assert found.notes.rows() == []
    assert said(found) == expected(sent)
    for n in found.counts.values():
        assert n["n_read"] == n["n_loaded"] + n["n_quarantined"] + n["n_ignored"]


def check_places(found: Loaded, rows: list[list[str]]) -> None:
    """Each value names the cell it came from."""
    for row, column, text in found.rows.select("row_number", "column_number", "value_text").iter_rows():
        assert rows[row - 1][column - 1] == text, cell_name(row, column)


@pytest.mark.parametrize("encoding", list(TEXTS))
@pytest.mark.parametrize("container", ["csv", "tsv"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_and_encoding_says_the_same(
    rules: Rules, shape: str, container: str, encoding: str
) -> None:
    sent = full_return("NY201", "2020")
    rows = grid(sent, shape)
    data = delimited(rows, TEXTS[encoding], "\t" if container == "tsv" else ",")
    found = read(rules, data, f"{shape}.{container}")
    check(found, sent, f"direct_report.ny201_2020_{shape}")
    check_places(found, rows)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_and_edition_in_every_shape(rules: Rules, form: str, edition: str) -> None:
    sent = full_return(form, edition)
    name = f"direct_report.{form.lower()}_{edition}"
    for shape in SHAPES:
        rows = grid(sent, shape)
        check(read(rules, delimited(rows, "gb18030"), "a.csv"), sent, f"{name}_{shape}")
        if edition == "2025":
            found = read(rules, workbook(rows), "a.xlsx")
            check(found, sent, f"{name}_{shape}_workbook")
            check_places(found, rows)
    check(read(rules, documents(sent), "a.json"), sent, f"{name}_rowdata")


# ---------- editions


@pytest.mark.parametrize(
    ("form", "edition", "code", "number", "unit"),
    [
        ("NY202", "2025", "230", "80", "kVA"),
        ("NY202", "2022", "250", "3", "tce"),
        ("NY202", "2020", "pv_generation", "3", "kWh"),
        ("NY201", "2025", "009", "900", "m2"),
        ("NY201", "2025", "191", "50", "kW"),
        ("NY301", "2025", "106", "5", "个"),
    ],
)
def test_an_item_of_another_edition_is_quarantined(
    rules: Rules, form: str, edition: str, code: str, number: str, unit: str
) -> None:
    sent = full_return(form, edition)
    sent.values[code] = (number, unit)
    for shape in SHAPES:
        found = read(rules, delimited(grid(sent, shape), "utf-8"), "a.csv")
        assert found.quarantine.select("reason_code", "item_code", "found").rows() == [
            ("item_not_in_edition", code, code)
        ]
        assert found.rows.height == len(sent.values) - 1


def test_the_heat_item_is_known_by_its_name_of_2025(rules: Rules) -> None:
    sent = Return("NY203", "2025", values={"301": ("10", "m2"), "360": ("5", "GJ")})
    rows = grid(sent, "labels")
    rows[0][-1] = "热力消费量(按热量收费)(GJ)"
    check(read(rules, delimited(rows, "gbk"), "a.csv"), sent, "direct_report.ny203_2025_labels")


def test_rows_of_another_form_in_one_file_are_quarantined(rules: Rules) -> None:
    """103 is vehicles in NY201 and persons in NY301: the same code, never the same thing."""
    base, summary = (
        Return(values={"103": ("12", "辆")}),
        Return("NY301", room="S001", values={"103": ("900", "人")}),
    )
    rows = grid(base, "long") + grid(summary, "long")[1:]
    found = read(rules, delimited(rows, "utf-8"), "a.csv")
    assert found.rows.select("item_code", "number_text").rows() == [("103", "12")]
    assert found.quarantine.select("row_number", "reason_code", "found").rows() == [
        (3, "bad_report_code", "NY301_2020")
    ]


@pytest.mark.parametrize(("form", "room"), [("NY202", None), ("NY301", None), ("NY301", "S011")])
def test_a_room_or_class_is_needed(rules: Rules, form: str, room: str | None) -> None:
    sent = full_return(form, "2022")
    sent.room = room
    found = read(rules, delimited(grid(sent, "columns_f"), "utf-8"), "a.csv")
    assert found.rows.height == 0
    (code,) = found.quarantine["reason_code"].unique().to_list()
    assert code == ("missing_catalog_item_id" if room is None else "bad_catalog_item_id")


def test_codes_and_not_names_say_which_table_a_province_exported(rules: Rules) -> None:
    """One province keeps the codes of data rooms in its table of heating, and the other way round."""
    head = "机构代码,单位名称,报告期,状态,版次"
    heating = f"{head},f301,f320\n单位,,,,,m2,kWh\nX1,甲,2020000,7,1,900,1200\n"
    rooms = f"{head},目录项,f201,f240\n单位,,,,,,m2,kWh\nX1,甲,2020000,7,1,0001,60,5000\n"
    for text, path, form in (
        (heating, "数据中心机房_2020.csv", "NY203"),
        (rooms, "采暖_2020.csv", "NY202"),
    ):
        found = read(rules, text.encode(), path)
        assert found.refusal is None
        assert found.rows["form_code"].unique().to_list() == [form]
        assert found.quarantine.height == 0


def test_an_edition_is_a_few_lines_of_a_users_own(rules: Rules, tmp_path: Path) -> None:
    (tmp_path / "ny202_2027.yml").write_text(
        "id: my.ny202_2027\nbased_on: direct_report.ny202_2025\ntitle: {zh: 甲, en: a}\nedition: '2027'\n",
        encoding="utf-8",
    )
    own = Rules(load_layouts([*shipped_folders(), tmp_path]), rules.reference, register=rules.register)
    sent = full_return("NY202", "2025")
    sent.edition = "2027"
    found = read(own, delimited(grid(sent, "labels"), "utf-8"), "a.csv")
    assert said(found) == expected(sent)
    assert found.layout is not None
    assert found.layout.id == "my.ny202_2027_labels"


def test_a_layout_based_on_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("id: my.a\nbased_on: nobody\nedition: '2027'\n", encoding="utf-8")
    with pytest.raises(Refusal, match=r"a\.yml") as refused:
        load_layouts([*shipped_folders(), tmp_path])
    assert refused.value.code == "bad_layout"


def test_a_workbook_of_excel_97(rules: Rules, checkout: Path) -> None:
    data = (checkout / "tests/data/direct-report/ny202_2022_long.xls").read_bytes()
    sent = Return(
        "NY202",
        "2022",
        "0001",
        "2022000",
        {"201": ("60.5", "m2"), "240": ("3.25", "万kWh"), "230": ("80", "kVA")},
    )
    found = read(rules, data, "a.xls")
    assert found.layout is not None
    assert found.layout.id == "direct_report.ny202_2022_long_workbook"
    assert [row[-3:] for row in said(found)] == [row[-3:] for row in expected(sent)]
    assert found.quarantine.height == 0
    assert found.rows["row_number"].to_list() == [2, 3, 4]
