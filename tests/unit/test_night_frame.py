"""What a night does around its steps: reading the rules, keeping its events, confirming its verdict."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from orchestration.event_log import KeptEventLog, instance_of_a_night
from quality.catalogue import RULES_DIR, load_catalogue


def test_rules_are_read_once_for_the_same_text_and_again_for_another(tmp_path: Path) -> None:
    text = (RULES_DIR / "returns.yml").read_text(encoding="utf-8")
    (tmp_path / "one.yml").write_text(text, encoding="utf-8")
    before = load_catalogue(tmp_path)
    assert load_catalogue(tmp_path).rules[0] is before.rules[0]
    (tmp_path / "one.yml").write_text(text.replace("severity: fail", "severity: warn"), encoding="utf-8")
    again = load_catalogue(tmp_path)
    assert again.ids == before.ids
    assert {rule.severity for rule in again.rules} == {"warn"}
    assert again.digest != before.digest


def test_events_kept_by_a_night_are_read_by_dagsters_own_class(tmp_path: Path) -> None:
    @dg.asset
    def counted() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"dagster/row_count": 7})

    @dg.asset(deps=[counted])
    def broken() -> None:
        raise dg.Failure("on purpose", allow_retries=False)

    defs = dg.Definitions(assets=[counted, broken], executor=dg.in_process_executor)
    with dg.DagsterInstance.from_ref(instance_of_a_night(tmp_path)) as instance:
        assert isinstance(instance.event_log_storage, KeptEventLog)
        for _ in range(2):
            result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance, raise_on_error=False
            )
            assert not result.success
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        runs = instance.get_runs()
        assert [run.status for run in runs] == [dg.DagsterRunStatus.FAILURE] * 2
        for run in runs:
            events = {
                event.dagster_event_type for event in instance.all_logs(run.run_id) if event.is_dagster_event
            }
            assert {
                dg.DagsterEventType.ASSET_MATERIALIZATION,
                dg.DagsterEventType.STEP_FAILURE,
                dg.DagsterEventType.RUN_FAILURE,
            } <= events
        found = instance.get_latest_materialization_event(dg.AssetKey("counted"))
        assert found is not None
        assert found.asset_materialization is not None
        assert found.asset_materialization.metadata["dagster/row_count"].value == 7
    assert not list(tmp_path.rglob("*.db-wal"))


def test_connections_stay_open_and_end_with_the_log(tmp_path: Path) -> None:
    log = KeptEventLog(str(tmp_path))
    with log.index_connection() as first:
        own = first.connection.driver_connection
    with log.index_connection() as second:
        assert second.connection.driver_connection is own
    assert log.has_table("asset_keys")
    assert not log.has_table("no_such_table")
    log.dispose()
    assert not list(tmp_path.glob("*.db-wal"))
