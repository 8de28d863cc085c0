"""The Great Expectations checkpoint: column expectations on the candidates, the catalogue shown by rule.

Here belongs running Great Expectations and judging whether it truly ran. Which expectations a table must
meet stands in expectations.py, what the pages look like in data_docs.py, every other rule in runner.py.

Two traps shape this module. The engine never raises: a check that could not run comes back as plain
failure, so every result's exception_info is read and the number of evaluated expectations is compared with
what was asked. And frames hold decimals as floats: only ranges, sets, patterns, nulls and keys are tested
here, never equality of sums (SQL does).
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quality.catalogue import Catalogue, Rule
from quality.data_docs import make_offline
from quality.expectations import CandidateTable, Expectation, read_candidate_tables
from quality.frames import read_frame
from quality.messages import both
from quality.results import FailingRow, RuleResult, broken, counted

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

TABLE_RULE_PREFIX = "ge_"
COMPLETE_RULE = "checkpoint_complete"
# values and keys that a page and quality_failure name per expectation; the count is always the full one
MAX_NAMED = 20
_NAMES_OF_SUITES = {
    "fail": "rule_results_counted_in_duckdb_blocking",
    "warn": "rule_results_counted_in_duckdb_warning",
}
_BROKEN_COUNT = -1


@dataclass(frozen=True)
class CheckpointReport:
    """What the checkpoint found; `seconds` by step, for benchmarks and asset metadata."""

    results: list[RuleResult]
    n_expectations: int
    n_tables: int
    docs_index: Path | None
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Evaluated:
    """One expectation after the run; `exception` is set when the engine could not evaluate it."""

    name: str
    is_success: bool
    exception: str | None
    n_failing: int
    rows: tuple[FailingRow, ...]


def run_checkpoint(
    con: duckdb.DuckDBPyConnection,
    manifest_path: Path,
    docs_dir: Path | None,
    *,
    catalogue: Catalogue,
    rule_results: Sequence[RuleResult],
    build_id: str,
    as_of: dt.date,
) -> CheckpointReport:
    """Evaluate every published candidate, show every counted rule; what breaks comes back as broken."""
    seconds: dict[str, float] = {}
    rules = catalogue.of_tool("great_expectations")
    try:
        tables = read_candidate_tables(manifest_path)
        with tempfile.TemporaryDirectory(prefix="tancang-checkpoint-") as scratch:
            site = Path(scratch) / "data_docs"
            started = time.monotonic()
            engine = _Engine(site, build_id, as_of)
            seconds["import"] = time.monotonic() - started
            started = time.monotonic()
            by_table = {table.name: _evaluate_table(con, engine, table) for table in tables}
            faults = _show_rules(engine, rule_results)
            seconds["run"] = time.monotonic() - started
            started = time.monotonic()
            index = _publish_docs(engine, site, Path(scratch), docs_dir) if docs_dir else None
            seconds["docs"] = time.monotonic() - started
    except Exception as error:
        cause = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:300]}"
        return CheckpointReport([broken(rule, cause) for rule in rules], 0, 0, None, seconds)
    results = [_judge(rule, catalogue, by_table, faults) for rule in rules]
    n_expectations = sum(len(evaluated) for evaluated in by_table.values())
    return CheckpointReport(results, n_expectations, len(tables), index, seconds)


class _Engine:
    """A fresh context per build: nothing of another night can be left in it, and `suites.add` stays fast."""

    def __init__(self, site: Path, build_id: str, as_of: dt.date) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        import great_expectations as gx
        from great_expectations.core.run_identifier import RunIdentifier
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        self.gx = gx
        # the build's own date instead of the clock: equal builds give equal pages
        self.run_id = RunIdentifier(
            run_name=build_id, run_time=dt.datetime.combine(as_of, dt.time(), tzinfo=dt.UTC)
        )
        self.context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                analytics_enabled=False,
                progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
                store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            ),
        )
        self.context.add_data_docs_site(
            "tancang",
            {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(site),
                },
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "show_cta_footer": False},
            },
        )
        self.source = self.context.data_sources.add_pandas("candidates")

    def validate(
        self, name: str, frame: pd.DataFrame, expectations: Iterable[Any], key: Sequence[str] = ()
    ) -> list[Any]:
        """Run one suite on one frame; the results as the engine gives them, with the `key` of rows that fail."""
        gx = self.gx
        batch = self.source.add_dataframe_asset(name=name).add_batch_definition_whole_dataframe("whole")
        suite = self.context.suites.add(gx.ExpectationSuite(name=name, expectations=list(expectations)))
        definition = self.context.validation_definitions.add(
            gx.ValidationDefinition(name=name, data=batch, suite=suite)
        )
        result_format: dict[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": MAX_NAMED}
        if key:
            result_format |= {"result_format": "SUMMARY", "unexpected_index_column_names": list(key)}
        checkpoint = self.context.checkpoints.add(
            gx.Checkpoint(name=name, validation_definitions=[definition], result_format=result_format)
        )
        outcome = checkpoint.run(batch_parameters={"dataframe": frame}, run_id=self.run_id)
        (validation,) = outcome.run_results.values()
        return list(validation.results)

    def expectation(self, wanted: Expectation) -> Any:
        gxe = self.gx.expectations
        column = wanted.columns[0] if wanted.columns else None
        arguments = dict(wanted.arguments)
        match wanted.kind:
            case "columns":
                return gxe.ExpectTableColumnsToMatchOrderedList(**arguments)
            case "not_null":
                return gxe.ExpectColumnValuesToNotBeNull(column=column)
            case "unique" if len(wanted.columns) == 1:
                return gxe.ExpectColumnValuesToBeUnique(column=column)
            case "unique":
                return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(wanted.columns))
            case "between":
                return gxe.ExpectColumnValuesToBeBetween(column=column, **arguments)
            case "in_set":
                return gxe.ExpectColumnValuesToBeInSet(column=column, **arguments)
            case "regex":
                return gxe.ExpectColumnValuesToMatchRegex(column=column, **arguments)


def _evaluate_table(
    con: duckdb.DuckDBPyConnection, engine: _Engine, table: CandidateTable
) -> list[_Evaluated]:
    frame = read_frame(con, table)
    key = [column for column in table.grain if column in frame.columns]
    evaluated = _evaluate(engine, table, frame, table.name, ())
    # rows are named once it is known that there are some: asking for them doubles the cost
    if any(not one.is_success and not one.exception for one in evaluated):
        evaluated = _evaluate(engine, table, frame, f"{table.name}_failing_rows", key)
    if len(evaluated) != len(table.expectations):
        missing = f"{len(evaluated)} of {len(table.expectations)} expectations were evaluated"
        evaluated.append(_Evaluated(table.name, False, missing, 0, ()))
    return evaluated


def _evaluate(
    engine: _Engine, table: CandidateTable, frame: pd.DataFrame, suite: str, key: Sequence[str]
) -> list[_Evaluated]:
    results = engine.validate(suite, frame, map(engine.expectation, table.expectations), key)
    return [_read_result(result, table, key) for result in results]


def _read_result(result: Any, table: CandidateTable, key: Sequence[str]) -> _Evaluated:
    config = result.expectation_config
    arguments = {name: value for name, value in config.kwargs.items() if name not in {"batch_id"}}
    columns = arguments.pop("column", None) or "+".join(arguments.pop("column_list", None) or ())
    kind = config.type.removeprefix("expect_")
    name = f"{columns}: {kind}" if kind != "table_columns_to_match_ordered_list" else kind
    exception = _exception(result.exception_info)
    found = result.result or {}
    if result.success or exception:
        return _Evaluated(name, bool(result.success), exception, 0, ())
    expected = f"{kind} " + ", ".join(f"{k}={v}" for k, v in sorted(arguments.items()) if v is not None)
    rows = [
        FailingRow(
            row_key="|".join(_plain(item.get(column)) for column in key) or None,
            found=_named_value(item, columns),
            expected=f"{columns} {expected}".strip(),
        )
        for item in found.get("partial_unexpected_index_list") or ()
    ]
    if not rows:
        shown = found.get("observed_value", found.get("partial_unexpected_list"))
        rows = [FailingRow(row_key=table.name, found=_plain(shown)[:500], expected=name[:500])]
    return _Evaluated(name, False, None, int(found.get("unexpected_count") or 1), tuple(rows[:MAX_NAMED]))


def _exception(info: Mapping[str, Any] | None) -> str | None:
    """The engine puts an exception either at the top or under the id of the metric that raised."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else [e for e in info.values() if isinstance(e, Mapping)]
    for entry in entries:
        if entry.get("raised_exception"):
            return str(entry.get("exception_message") or "unknown error").strip().splitlines()[0][:300]
    return None


def _named_value(item: Mapping[str, Any], columns: str) -> str:
    return ", ".join(f"{name}={_plain(item[name])}" for name in columns.split("+") if name in item)


def _plain(value: Any) -> str:
    text = str(value)
    # frames have four ways of saying that nothing is there
    return "null" if text in {"None", "nan", "NaT", "<NA>"} else text


def _show_rules(engine: _Engine, results: Sequence[RuleResult]) -> list[str]:
    """Two suites, one expectation per rule counted elsewhere; disagreement with the count is a fault."""
    import pandas as pd

    faults: list[str] = []
    for severity, suite in _NAMES_OF_SUITES.items():
        shown = [result for result in results if result.severity == severity]
        if not shown:
            continue
        counts = {r.rule_id: [_BROKEN_COUNT if r.outcome == "broken" else r.n_failing] for r in shown}
        evaluated = engine.validate(
            suite,
            pd.DataFrame(counts),
            [
                engine.gx.expectations.ExpectColumnMaxToBeBetween(
                    column=r.rule_id, min_value=0, max_value=0, description=_sentence(r),
                    meta={"outcome": r.outcome, "tool": r.tool, "scope": r.scope, "message": r.message},
                )
                for r in shown
            ],
        )  # fmt: skip
        if len(evaluated) != len(shown):
            faults.append(f"{suite}: {len(evaluated)} of {len(shown)} rules were shown")
        for result in evaluated:
            rule_id = result.expectation_config.kwargs["column"]
            exception = _exception(result.exception_info)
            if exception:
                faults.append(f"{rule_id}: {exception}")
            elif bool(result.success) != (counts[rule_id] == [0]):
                faults.append(f"{rule_id}: shown as {result.success}, counted {counts[rule_id][0]}")
    return faults


def _sentence(result: RuleResult) -> str:
    text = both(result.text_zh, result.text_en)
    return text if result.outcome in {"pass", "warn", "fail"} else f"{text} ({result.message})"


def _publish_docs(engine: _Engine, site: Path, scratch: Path, docs_dir: Path) -> Path:
    engine.context.build_data_docs()
    make_offline(site, machine_paths=(scratch,))
    if docs_dir.exists():
        shutil.rmtree(docs_dir)
    docs_dir.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(site, docs_dir)
    return docs_dir / "index.html"


def _judge(
    rule: Rule, catalogue: Catalogue, by_table: Mapping[str, list[_Evaluated]], faults: Sequence[str]
) -> RuleResult:
    if rule.id == COMPLETE_RULE:
        return _judge_completeness(rule, catalogue, by_table, faults)
    name = rule.id.removeprefix(TABLE_RULE_PREFIX)
    if name not in by_table:
        return broken(rule, f"{name}: not among the published tables of the manifest")
    evaluated = by_table[name]
    exceptions = [f"{one.name}: {one.exception}" for one in evaluated if one.exception]
    if exceptions:
        return broken(rule, f"{len(exceptions)} x {exceptions[0]}")
    failed = sorted((one for one in evaluated if not one.is_success), key=lambda one: one.name)
    return counted(rule, sum(one.n_failing for one in failed), [row for one in failed for row in one.rows])


def _judge_completeness(
    rule: Rule, catalogue: Catalogue, by_table: Mapping[str, list[_Evaluated]], faults: Sequence[str]
) -> RuleResult:
    """Every published table has a rule of its own, and the pages show every rule as it was counted."""
    if faults:
        return broken(rule, f"{len(faults)} x {faults[0]}")
    known = {other.id for other in catalogue.of_tool("great_expectations")}
    without = [name for name in sorted(by_table) if f"{TABLE_RULE_PREFIX}{name}" not in known]
    rows = [FailingRow(row_key=name, found="-", expected=f"{TABLE_RULE_PREFIX}{name}") for name in without]
    return counted(rule, len(rows), rows)
