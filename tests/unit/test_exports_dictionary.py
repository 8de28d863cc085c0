"""The declaration of the published tables, read from dbt's manifest."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from exports_world import TABLES, dbt_manifest, dictionary

from exports.dictionary import canonical_type, load_dictionary
from exports.messages import ExportError


def test_tables_stand_in_contract_order_with_all_they_declare(tmp_path: Path) -> None:
    tables = dictionary(tmp_path)
    assert [table.name for table in tables] == ["factor_used", "institution_year", "region_year", "release"]
    institution = tables[1]
    assert institution.column_names == tuple(column[0] for column in TABLES["institution_year"]["columns"])
    assert institution.grain == ("institution_id", "year")
    assert institution.is_partitioned
    assert not tables[0].is_partitioned
    assert tables[3].candidate == '"gate"."release"'
    area = next(column for column in institution.columns if column.name == "floor_area_m2")
    assert (area.data_type, area.unit, area.name_zh) == ("DECIMAL(18,4)", "m2", "建筑面积")
    assert area.comment == "Floor area (建筑面积) [m2]"
    ratio = next(column for column in institution.columns if column.data_type == "DOUBLE")
    assert ratio.comment == "Energy per area (单位面积能耗等价) [kgce/m2]"
    registered = next(column for column in institution.columns if column.name == "is_registered")
    assert registered.unit is None


def test_meta_beside_config_is_read_as_well(tmp_path: Path) -> None:
    manifest = dbt_manifest()
    for node in [*manifest["nodes"].values(), *manifest["sources"].values()]:
        node["meta"] = node.pop("config")["meta"]
        for column in node.get("columns", {}).values():
            column["meta"] = column.pop("config")["meta"]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert load_dictionary(path) == dictionary(tmp_path)


def test_every_gap_is_named_at_once(tmp_path: Path) -> None:
    broken: dict[str, Any] = copy.deepcopy(TABLES)
    broken["institution_year"]["grain"] = ["institution_id", "month"]
    broken["region_year"]["name_zh"] = ""
    broken["factor_used"]["columns"][1] = ("factor_value", "", None, "", "因子编号")
    broken["release"]["description"] = ""
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(dbt_manifest(broken)), encoding="utf-8")
    with pytest.raises(ExportError) as caught:
        load_dictionary(path)
    for gap in (
        "institution_year: grain names unknown column month",
        "region_year: no meta name_zh",
        "factor_used.factor_value: no data_type",
        "factor_used.factor_value: no description",
        "factor_used: column name_zh 因子编号 stands twice",
        "release: no description",
    ):
        assert gap in caught.value.text.en
        assert gap in caught.value.text.zh


@pytest.mark.parametrize("content", [None, "{", '{"nodes": {}, "sources": {}}'])
def test_no_manifest_no_tables(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "manifest.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ExportError):
        load_dictionary(path)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("text", "VARCHAR"), ("varchar(20)", "VARCHAR"), ("decimal(18, 4)", "DECIMAL(18,4)"), ("int", "INTEGER"),
     ("numeric(38,12)", "DECIMAL(38,12)"), ("bool", "BOOLEAN"), ("timestamp with time zone", "TIMESTAMP WITH TIME ZONE")],
)  # fmt: skip
def test_types_are_compared_as_duckdb_prints_them(written: str, canonical: str) -> None:
    assert canonical_type(written) == canonical
