"""`tancang queue`: what waits for a person's word, each with the one line that settles it.

Belongs here: reading the last build for unknown codes, unsure institutions, proposed mends, broken meters and late returns, and
writing the line for `codes.yml`, `matches.yml`, `corrections.yml` or `restatements.yml`. Nothing is applied here. Imports neither dagster nor dbt nor great_expectations.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from typing import TYPE_CHECKING, Any

from ingestion.contracts.matches import SAID
from orchestration.report import Teller
from orchestration.settings import Settings
from orchestration.warehouse_reader import open_warehouse

if TYPE_CHECKING:
    import duckdb

_MOST = 20
_N_NEAREST = 3

_CODES = """
    with refused as (
        select
            quarantine.source, files.form_code, quarantine.path, quarantine.sheet, quarantine.cell,
            quarantine.row_number,
            case quarantine.reason_code when 'unknown_unit' then 'unit' else 'item' end as kind,
            quarantine.found, quarantine.item_code
        from raw.quarantine as quarantine
        inner join raw.files as files on files.file_id = quarantine.file_id
        where quarantine.reason_code in ('unknown_item_code', 'unknown_unit')
        union all
        select source, null, path, sheet, cell, row_number, 'region', value_text, null
        from core.core_unread_values where problem_code = 'region_not_in_profile'
        union all
        select 'direct_report', null, files.path, null, null, landed.row_number, 'institution_type',
            landed.institution_type_code, null
        from raw.direct_report__institutions as landed
        inner join raw.files as files on files.file_id = landed.file_id
        where landed.institution_type_code not in (select institution_type_code from seeds.institution_types)
        union all
        select 'registers', null, files.path, null, null, landed.row_number, 'institution_type',
            landed.institution_type_code, null
        from raw.registers__institutions as landed
        inner join raw.files as files on files.file_id = landed.file_id
        where landed.institution_type_code not in (select institution_type_code from seeds.institution_types)
    )
    select source, form_code, kind, found, count(*) as n_cells, count(distinct path) as n_files,
        list_sort(list(distinct item_code)) as item_codes,
        arg_min(path, (path, sheet, row_number, cell)) as path, arg_min(sheet, (path, sheet, row_number, cell)) as sheet,
        coalesce(arg_min(cell, (path, sheet, row_number, cell)),
            cast(arg_min(row_number, (path, sheet, row_number, cell)) as varchar)) as cell
    from refused
    where found is not null
    group by source, form_code, kind, found
    order by n_cells desc, source, form_code, kind, found
"""
_KNOWN = """
    select 'item' as kind, form_code, item_code as code, item_name_zh as name_zh, item_name_en as name_en
    from seeds.direct_report_items
    union select 'item', 'audit', item_code, item_name_zh, item_name_en from seeds.audit_items
    union select 'item', 'metering', item_code, item_name_zh, item_name_en from seeds.metering_items
    union select 'unit', null, unit_text, canonical_unit, canonical_unit from seeds.unit_conversions
    union select 'institution_type', null, institution_type_code, name_zh, name_en from seeds.institution_types
    union select 'region', null, region_code, region_name_zh, region_name_en from raw.profile_regions
    order by all
"""
_PROPOSALS = "select * from core.core_scale_proposal order by n_supporting desc, score desc, path, row_number, column_number"
_MATCHES = """
    select source, said_code, said_name, said_region, said_address, institution_id, matched_name, match_weight, agreed,
        differed, rivals_json, count(*) as n_rows, count(distinct path) as n_files,
        arg_min(path, (path, row_number)) as path, min_by(row_number, (path, row_number)) as row_number
    from raw.matches where match_state = 'waiting'
    group by all order by n_rows desc, match_weight desc nulls last, path, row_number
"""
_RESTATEMENTS = """
    select institution_id, year, file_id, any_value(path) as path, any_value(received_on) as received_on,
        any_value(frozen_on) as frozen_on, count(*) as n_cells,
        to_json(list(struct_pack(
            form_code, item_code, period_kind, period_index, unit, standing_amount, proposed_amount, cell
        ) order by form_code, item_code, period_kind, period_index)) as changes_json
    from core.core_restatement_proposal
    group by institution_id, year, file_id
    order by n_cells desc, path, institution_id, year
"""
_BREAKS = "select * from core.core_meter_break order by level_ratio desc, building_code, item_code"


def run(settings: Settings, *, as_json: bool) -> int:
    """Everything that waits. Reads the writer's warehouse, so not while a night runs."""
    with open_warehouse(settings) as con:
        found = waiting(con)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        _tell(Teller(settings.lang), found)
    return 0


def waiting(con: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """Unknown codes, unsure institutions, proposed mends and broken meters of the last build, each with its `line` and its `file`."""
    since = con.execute("select cast(as_of as varchar) from raw.build").fetchall()[0][0]
    known = _rows(con, _KNOWN)
    codes = [_with_suggestions(row, known) for row in _rows(con, _CODES)]
    return {
        "codes": [{**row, "file": "codes.yml", "line": code_line(row, since)} for row in codes],
        "scales": [
            {**row, "evidence": json.loads(row.pop("evidence_json")), "file": "corrections.yml", "line": line}
            for row in _rows(con, _PROPOSALS)
            for line in [scale_line(row)]
        ],
        "matches": [
            {**row, "rivals": json.loads(row.pop("rivals_json")), "file": "matches.yml", "line": line}
            for row in _rows(con, _MATCHES)
            for line in [match_line(row, since)]
        ],
        "meters": [
            {**row, "file": "corrections.yml", "line": meter_line(row)} for row in _rows(con, _BREAKS)
        ],
        "restatements": [
            {**row, "changes": json.loads(row.pop("changes_json")), "file": "restatements.yml", "line": line}
            for row in _rows(con, _RESTATEMENTS)
            for line in [restatement_line(row)]
        ],
    }


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = con.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _with_suggestions(row: dict[str, Any], known: list[dict[str, Any]]) -> dict[str, Any]:
    """Known codes that are written most like the unknown one, nearest first."""
    family = {"energy_audit": "audit", "metering": "metering"}.get(row["source"], row["form_code"])
    names = {
        item["code"]: (item["name_zh"], item["name_en"])
        for item in known
        if item["kind"] == row["kind"] and item["form_code"] in (None, family)
    }
    nearest = difflib.get_close_matches(str(row["found"])[:100], names, n=_N_NEAREST, cutoff=0.5)
    return {
        **row,
        "suggestions": [
            {"code": code, "name_zh": names[code][0], "name_en": names[code][1]} for code in nearest
        ],
    }


def code_line(row: dict[str, Any], since: str) -> str:
    """The line for codes.yml. What the code means is for a person to say: what is written alike may be worth half."""
    given = {name: row[key] for name, key in (("source", "source"), ("form", "form_code")) if row[key]}
    return _line({**given, "kind": row["kind"], "found": row["found"], "means": "", "reason": "",
                  "reviewer": "", "since": since})  # fmt: skip


def match_line(row: dict[str, Any], since: str) -> str:
    """The line for matches.yml. The nearest entry is not filled in: who looks at it shall say so."""
    said = {name: row[f"said_{name}"] for name in SAID if row[f"said_{name}"] is not None}
    return _line({"source": row["source"], **said, "means": "", "reason": "", "reviewer": "", "since": since})


def scale_line(row: dict[str, Any]) -> str:
    """The line for corrections.yml that would apply a proposed mend."""
    period = {row["period_kind"]: row["period_index"]} if row["period_kind"] != "year" else {}
    form = {"form": row["form_code"]} if row["source"] == "direct_report" and row["form_code"] else {}
    value = {"value": row["proposed_number_text"]} if row["proposed_number_text"] is not None else {}
    unit = {"unit": row["proposed_unit"]} if row["proposed_unit"] is not None else {}
    key = (row["source"], row["form_code"], row["institution_id"], row["item_code"], row["year"],
           row["period_kind"], row["period_index"], row["value_text"])  # fmt: skip
    return _line(
        {
            "id": _identity("S", key),
            "source": row["source"],
            **form,
            "institution": row["institution_id"],
            "item": row["item_code"],
            "year": row["year"],
            **period,
            "expect": row["value_text"],
            **value,
            **unit,
            "reason": f"{row['slip_name_zh']} / {row['slip_name_en']}",
            "reviewer": "",
        }
    )


def meter_line(row: dict[str, Any]) -> str:
    """The line for corrections.yml that would give a meter another unit from the day of its break."""
    meter = {"meter": row["meter_id"]} if row["meter_id"] is not None else {}
    day = row["broke_on"].isoformat()
    key = (row["building_code"], row["meter_id"], row["item_code"], day)
    return _line(
        {
            "id": _identity("M", key),
            "source": "metering",
            "building": row["building_code"],
            **meter,
            "item": row["item_code"],
            "starts_on": day,
            "expect": row["unit_text"],
            "unit": row["proposed_unit"] or "",
            "reason": f"{day} {'÷' if row['is_fall'] else '×'} {row['level_ratio']:.1f}"
            + (f": {row['ratio_name_zh']} / {row['ratio_name_en']}" if row["ratio_name_zh"] else ""),
            "reviewer": "",
        }
    )


def restatement_line(row: dict[str, Any]) -> str:
    """The line for restatements.yml that would let a late return count."""
    key = {"institution": row["institution_id"], "year": row["year"], "file": row["file_id"]}
    return _line({**key, "reason": "", "reviewer": ""})


def _identity(kind: str, key: tuple[Any, ...]) -> str:
    return f"{kind}-{hashlib.sha256(repr(key).encode()).hexdigest()[:10]}"


def _line(entry: dict[str, Any]) -> str:
    """One entry of a YAML list. JSON is YAML; what no printer shows is written as its number."""
    text = json.dumps(entry, ensure_ascii=False)
    return "- " + "".join(
        mark if mark.isprintable() or ord(mark) > 0xFFFF else f"\\u{ord(mark):04x}" for mark in text
    )


def _tell(teller: Teller, found: dict[str, list[dict[str, Any]]]) -> None:
    if not any(found.values()):
        teller.say("没有待处理的事项", "nothing waits")
        return
    _tell_codes(teller, found["codes"])
    _tell_matches(teller, found["matches"])
    _tell_scales(teller, found["scales"])
    _tell_meters(teller, found["meters"])
    _tell_restatements(teller, found["restatements"])
    teller.say(
        "把一行粘贴到所指的文件, 填写空着的项 (reviewer 为复核人), 下一夜生效; 值本来正确时, 把 value、unit 写成文件中的原样",
        "paste a line into the file it names and fill in what is empty (reviewer: your name); the next night applies it. "
        "Where the value is right after all, give value and unit as the file has them",
    )


def _tell_codes(teller: Teller, rows: list[dict[str, Any]]) -> None:
    if rows:
        teller.say(f"未知代码 {len(rows)} 个", f"{len(rows)} unknown codes", "bold")
    for row in rows[:_MOST]:
        where = " · ".join(_shown(part) for part in (row["path"], row["sheet"], row["cell"]) if part)
        teller.plain(f"  {row['kind']} “{_shown(row['found'])}”  {where}", "yellow")
        near = ", ".join(f"{item['code']} {item['name_zh']}" for item in row["suggestions"]) or "–"
        teller.say(
            f"      {row['n_cells']} 处, {row['n_files']} 个文件; 相近的已知代码: {near}",
            f"places: {row['n_cells']}, files: {row['n_files']}; known codes written alike: {near}",
        )
        _tell_line(teller, row)
    _tell_more(teller, rows)


def _tell_matches(teller: Teller, rows: list[dict[str, Any]]) -> None:
    if rows:
        teller.say(f"不能确定的机构 {len(rows)} 个", f"{len(rows)} institutions that are not sure", "bold")
    for row in rows[:_MOST]:
        said = " · ".join(_shown(row[f"said_{name}"]) for name in SAID if row[f"said_{name}"] is not None)
        teller.plain(f"  {said}  {_shown(row['path'])} · {row['row_number']}", "yellow")
        if row["institution_id"] is None:
            teller.say("      名录库中没有相近的机构", "nothing in the register is like it")
        else:
            teller.plain(
                f"      {row['institution_id']} {_shown(row['matched_name'])} {row['match_weight']:.1f}"
                f" (= {row['agreed']}; ≠ {row['differed'] or '–'})"
            )
        for rival in row["rivals"]:
            teller.plain(
                f"      {rival['institution_id']} {_shown(rival['institution_name'])} {rival['match_weight']:.1f}"
            )
        _tell_line(teller, row)
    _tell_more(teller, rows)


def _tell_scales(teller: Teller, rows: list[dict[str, Any]]) -> None:
    if rows:
        teller.say(f"建议的数量级改法 {len(rows)} 条", f"{len(rows)} proposed mends of scale", "bold")
    for row in rows[:_MOST]:
        where = " · ".join(_shown(part) for part in (row["path"], row["sheet"], row["cell"]) if part)
        teller.plain(f"  {where}  “{_shown(row['value_text'])}” {_shown(row['unit_text'] or '')}", "yellow")
        proposed = f"≈ {row['proposed_amount']:.6g} {row['unit']}, {row['score']:.2f}"
        teller.say(f"      {row['slip_name_zh']} ({proposed})", f"{row['slip_name_en']} ({proposed})")
        for item in row["evidence"]:
            teller.plain(
                f"      {item['kind']}: ≈ {item['expected']:.6g} {row['unit']}, "
                f"× {item['ratio_found']:.4g} → × {item['ratio_mended']:.4g} ({item['says']})"
            )
        _tell_line(teller, row)
    _tell_more(teller, rows)


def _tell_meters(teller: Teller, rows: list[dict[str, Any]]) -> None:
    if rows:
        teller.say(
            f"计量单位断裂的表计 {len(rows)} 个", f"{len(rows)} meters that count in another unit", "bold"
        )
    for row in rows[:_MOST]:
        meter = " · ".join(
            _shown(part) for part in (row["building_code"], row["meter_id"], row["item_code"]) if part
        )
        sign = "÷" if row["is_fall"] else "×"
        teller.plain(f"  {meter}  {row['broke_on']}  {sign} {row['level_ratio']:.1f}", "yellow")
        teller.say(
            f"      断前 {row['n_days_before']} 天、断后 {row['n_days_after']} 天有值; {row['ratio_name_zh'] or '没有相近的已知倍数'}",
            f"{row['n_days_before']} days before and {row['n_days_after']} after with readings; "
            f"{row['ratio_name_en'] or 'no known ratio is near'}",
        )
        _tell_line(teller, row)
    _tell_more(teller, rows)


def _tell_restatements(teller: Teller, rows: list[dict[str, Any]]) -> None:
    if rows:
        teller.say(
            f"已冻结年度的重述建议 {len(rows)} 条", f"{len(rows)} restatements of frozen years", "bold"
        )
    for row in rows[:_MOST]:
        teller.plain(f"  {_shown(row['institution_id'])} {row['year']}  {_shown(row['path'])}", "yellow")
        teller.say(
            f"      {row['received_on']} 收到, {row['frozen_on']} 已冻结; 改动 {row['n_cells']} 格",
            f"received {row['received_on']}, frozen {row['frozen_on']}; cells that change: {row['n_cells']}",
        )
        for change in row["changes"][:_MOST]:
            amounts = [
                "–" if amount is None else str(amount)
                for amount in (change["standing_amount"], change["proposed_amount"])
            ]
            period = (
                ""
                if change["period_kind"] == "year"
                else f" {change['period_kind']} {change['period_index']}"
            )
            teller.plain(
                f"      {_shown(change['item_code'])}{period}: {' → '.join(amounts)} {change['unit'] or ''}"
            )
        _tell_line(teller, row)
    _tell_more(teller, rows)


def _tell_line(teller: Teller, row: dict[str, Any]) -> None:
    teller.plain(f"      {row['file']}:", "dim")
    teller.plain(row["line"], "green")


def _tell_more(teller: Teller, rows: list[dict[str, Any]]) -> None:
    if len(rows) > _MOST:
        teller.say(f"  … 共 {len(rows)} 项; 用 --json 看全部", f"… {len(rows)} in all; --json shows them")


def _shown(text: Any) -> str:
    """Text of a file as a terminal may show it."""
    return "".join(mark if mark.isprintable() else "·" for mark in str(text))
