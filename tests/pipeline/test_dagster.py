"""Dagster for real: rooms as groups, descriptions, one writer at a time, completeness, schedule and sensor."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import dagster as dg
import pytest
import yaml
from nights import CHECKOUT, DISTRICT, Night

from ingestion.sources import SOURCES
from orchestration import night as nights
from orchestration.definitions import defs
from orchestration.defs.resources import DAGSTER_YAML, POOL
from orchestration.defs.schedules import every_night, landing_sensor
from orchestration.defs.warehouse import check_complete
from orchestration.run_night import activate
from orchestration.settings import Settings

ROOMS = {"landing", "raw", "seeds", "staging", "core", "marts", "gate", "release"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an empty home, active in this process until the test ends."""
    for name in list(os.environ):
        if name.startswith(("TANCANG_", "DAGSTER_")):
            monkeypatch.delenv(name)
    found = Settings(home=tmp_path / "home", profile=str(DISTRICT / "profile.yml"))
    before = dict(os.environ)
    activate(found)
    yield found
    os.environ.clear()
    os.environ.update(before)


def specs() -> list[dg.AssetSpec]:
    graph = defs.resolve_asset_graph()
    return [spec for definition in defs.assets or [] for spec in definition.specs] or list(graph.assets)  # type: ignore[union-attr]


def test_groups_follow_the_rooms_and_every_asset_says_what_it_is() -> None:
    found = specs()
    assert {spec.group_name for spec in found} <= ROOMS | {"accounting"}
    assert {spec.group_name for spec in found} | {"seeds"} >= ROOMS
    assert [spec.key.to_user_string() for spec in found if not (spec.description or "").strip()] == []


def test_what_dbt_ran_is_written_in_the_home_so_two_homes_do_not_mix(clean: Night) -> None:
    results = clean.home / "night" / "dbt" / "run_results.json"
    held = json.loads(results.read_text(encoding="utf-8"))["results"]
    assert len(held) > 50
    assert {item["status"] for item in held} == {"pass"}
    shared = CHECKOUT / "dbt_project" / "target" / "run_results.json"
    assert not shared.is_file() or shared.stat().st_mtime < results.stat().st_mtime - 1


def test_every_source_folder_is_an_asset_without_being_registered() -> None:
    keys = {spec.key.to_user_string() for spec in specs()}
    assert {f"raw/{source}" for source in SOURCES} <= keys
    assert set(SOURCES) >= {"direct_report", "metering", "energy_audit", "registers"}


def test_every_writer_is_in_the_pool_and_the_pool_has_a_limit() -> None:
    config = yaml.safe_load(DAGSTER_YAML)
    assert config["concurrency"]["pools"] == {"granularity": "run", "default_limit": 1}
    for definition in defs.assets or []:
        assert definition.op.pool == POOL, definition.keys  # type: ignore[union-attr]


def test_a_job_per_act() -> None:
    for name in ("nightly", "rebuild", "publish_only"):
        assert defs.resolve_job_def(name).description


def test_a_warehouse_that_dbt_did_not_build_whole_fails_the_night() -> None:
    a, b, c = (dg.AssetKey([name]) for name in "abc")
    check_complete({a, b}, {a, b})
    with pytest.raises(dg.Failure, match="not built"):
        check_complete({a}, {a, b})
    with pytest.raises(dg.Failure, match="not selected"):
        check_complete({a, b, c}, {a, b})


def test_a_silently_empty_dbt_run_fails_the_night(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.defs import warehouse

    settings.paths.root.mkdir(parents=True)
    monkeypatch.setattr(warehouse, "build", lambda *_: (True, [], None))
    result = dg.materialize(
        [warehouse.dbt_models],
        selection=dg.AssetSelection.assets(dg.AssetKey(["marts", "institution_year"])),
        raise_on_error=False,
    )
    assert not result.success


def test_runs_and_their_metadata_are_kept(clean: Night) -> None:
    with dg.DagsterInstance.from_config(str(clean.home / "dagster")) as instance:
        runs = instance.get_runs()
        assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS]
        for key in (
            ["landing", "sealed_files"],
            ["raw", "direct_report"],
            ["raw", "accounts"],
            ["marts", "institution_year"],
            ["gate", "verdict"],
            ["release", "current"],
        ):
            event = instance.get_latest_materialization_event(dg.AssetKey(key))
            assert event is not None, key
            assert event.asset_materialization is not None
            metadata = event.asset_materialization.metadata
            assert metadata["dagster/row_count"].value > 0, key
            pictures = [value for value in metadata.values() if isinstance(value, dg.MarkdownMetadataValue)]
            assert any("data:image/png;base64," in (picture.md_str or "") for picture in pictures), key
            assert "content_sha256" in metadata or "content_hash" in metadata, key


def test_steps_that_touch_disks_are_retried_and_the_gate_is_not() -> None:
    policies = {
        definition.key.to_user_string(): definition.op.retry_policy  # type: ignore[union-attr]
        for definition in defs.assets or []
        if len(list(definition.keys)) == 1  # type: ignore[union-attr]
    }
    assert policies["landing/sealed_files"].max_retries == 2
    assert policies["raw/direct_report"].max_retries == 2
    assert policies["gate/verdict"] is None


def test_the_schedule_asks_the_question_of_the_command_line(settings: Settings, clean: Night) -> None:
    world = settings.paths.landing
    shutil.copytree(DISTRICT / "clean" / "landing", world)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance)
        due = every_night.evaluate_tick(context)
        assert due.run_requests
        assert len(due.run_requests) == 1
    activate(Settings(home=clean.home, as_of="2026-11-20"))  # type: ignore[arg-type]
    with dg.DagsterInstance.ephemeral() as instance:
        tick = every_night.evaluate_tick(dg.build_schedule_context(instance=instance))
        assert not tick.run_requests
        assert tick.skip_message is not None
        assert "nothing new" in tick.skip_message


def test_the_sensor_waits_until_landing_is_still(settings: Settings) -> None:
    folder = settings.paths.landing / "direct_report"
    folder.mkdir(parents=True)

    def tick(cursor: str | None) -> dg.SensorResult | dg.SkipReason | None:
        return landing_sensor(dg.build_sensor_context(cursor=cursor))  # type: ignore[return-value]

    assert isinstance(tick(None), dg.SkipReason)
    (folder / "a.csv").write_text("x", encoding="utf-8")
    first = tick(None)
    assert isinstance(first, dg.SensorResult)
    assert not first.run_requests
    (folder / "a.csv").write_text("xy", encoding="utf-8")
    second = tick(first.cursor)
    assert isinstance(second, dg.SensorResult)
    assert not second.run_requests
    third = tick(second.cursor)
    assert isinstance(third, dg.SensorResult)
    assert third.run_requests
    assert isinstance(tick(third.cursor), dg.SkipReason)


def test_two_nights_at_once_one_leaves_with_a_clear_word(settings: Settings) -> None:
    import subprocess

    from nights import TANCANG

    nights.hold(settings.paths)
    try:
        done = subprocess.run(
            [
                TANCANG,
                "nightly",
                "--home",
                str(settings.paths.root),
                "--profile",
                str(DISTRICT / "profile.yml"),
            ],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
        )
    finally:
        nights.release_hold(settings.paths)
    assert done.returncode == 2
    assert "另一夜正在运行" in done.stderr
    assert "another night is running" in done.stderr
    assert "Traceback" not in done.stderr
