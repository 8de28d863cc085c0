"""Runs dbt in this process and turns its results into Dagster events.

Belongs here: the dbtRunner, its manifest, the set of keys that must be materialised. Does not belong here:
SQL. In process because a `dbt build` child costs seconds of imports that a night of seconds cannot spare.
The parsed project stands in the checkout and is the same for every home; what a run writes stands in its home,
so two homes may have their nights at one time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.settings import CHECKOUT, Settings

PROJECT = CHECKOUT / "dbt_project"
TARGET = PROJECT / "target"
MANIFEST = TARGET / "manifest.json"
_PARSED = "partial_parse.msgpack"
_RESULTS = {"LogModelResult", "LogSeedResult", "LogTestResult"}
_SHARED_RAW = {
    "files",
    "file_counts",
    "records",
    "quarantine",
    "notes",
    "corrections",
    "correction_uses",
    "codes",
    "code_uses",
    "matches",
    "match_decisions",
}


class Translator(DagsterDbtTranslator):  # type: ignore[misc]
    """dbt folders are rooms: groups follow them, and raw sources point at the assets that write them."""

    def __init__(self) -> None:
        super().__init__(
            DagsterDbtTranslatorSettings(
                enable_duplicate_source_asset_keys=True, enable_source_metadata=False
            )
        )

    def get_asset_key(self, dbt_resource_props: Any) -> dg.AssetKey:
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] == "source":
            if dbt_resource_props["source_name"] in ("gate", "marts"):
                return dg.AssetKey([dbt_resource_props["source_name"], name])
            if name in _SHARED_RAW:
                return dg.AssetKey(["raw", "accounts"])
            if "__" in name:
                return dg.AssetKey(["raw", name.split("__")[0]])
            return dg.AssetKey(["raw", "declarations"])
        return dg.AssetKey([self.get_group_name(dbt_resource_props) or "warehouse", name])

    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return str(dbt_resource_props["fqn"][1])


def build(settings: Settings, *select: str) -> tuple[bool, list[Any], Any]:
    """Seeds and models, no tests: success, result events, dbt's own result object. `select`: only these, in
    dbt's own words (`+institution_year`: with all it stands on)."""
    arguments = ["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    arguments += ["--select", *select] if select else []
    # nobody reads what dbt would write about it, and writing it costs as much as many a model
    shutil.rmtree(run_folder(settings), ignore_errors=True)
    return _invoke([*arguments, "--no-write-json"], run_folder(settings), settings)


def run_tests(settings: Settings) -> tuple[bool, list[Any], Any]:
    """The data tests, as `build`; their results are what the gate reads in the run folder."""
    return _invoke(["test", "--exclude-resource-type", "unit_test"], run_folder(settings), settings)


def run_folder(settings: Settings) -> Path:
    """Where dbt writes what it ran for this home."""
    return settings.paths.night / "dbt"


def _invoke(
    arguments: list[str], folder: Path, settings: Settings | None = None
) -> tuple[bool, list[Any], Any]:
    """One dbt invocation in this process, for a home when there are settings.

    The connection is closed afterwards: dbt would keep the warehouse open and no other step could have it.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from google.protobuf.json_format import MessageToDict

    if settings is not None:
        os.environ["TANCANG_WAREHOUSE"] = str(settings.paths.warehouse)
        os.environ["TANCANG_THREADS"] = str(settings.threads)
    # parsing needs a name only; every home's warehouse has the same one, so one parsed project fits all
    os.environ.setdefault("TANCANG_WAREHOUSE", "warehouse.duckdb")
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    events: list[Any] = []

    def keep(event: Any) -> None:
        if event.info.name in _RESULTS:
            raw = MessageToDict(event, preserving_proto_field_name=True)
            events.append(DbtCoreCliEventMessage(raw_event=raw, event_history_metadata={}))

    runner = dbtRunner(manifest=None if settings is None else _parsed(), callbacks=[keep])
    places = [
        "--project-dir",
        str(PROJECT),
        "--profiles-dir",
        str(PROJECT),
        "--target-path",
        str(folder),
        "--log-path",
        str(folder),
        "--quiet",
        "--no-use-colors",
        "--log-level-file",
        "none",
    ]
    try:
        result = runner.invoke([*arguments, *places])
    finally:
        DuckDBConnectionManager.close_all_connections()
    if result.exception is not None:
        raise result.exception
    return result.success, events, result.result


_parsed_projects: dict[float, Any] = {}


def _parsed() -> Any:
    """The parsed project as dbt keeps it for partial parsing, so that no home pays for parsing again.

    dbt itself would parse anew for every home: the path of the warehouse in the profile differs.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    current_manifest()
    path = TARGET / _PARSED
    changed = path.stat().st_mtime
    if changed not in _parsed_projects:
        _parsed_projects.clear()
        manifest = Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
        # `graph`, from which macros read what columns are made of; dbt makes it only where it parses itself
        manifest.build_flat_graph()
        _parsed_projects[changed] = manifest
    return _parsed_projects[changed]


def current_manifest() -> Path:
    """The manifest, parsed again when any file of the project is newer than it."""
    newest = max(path.stat().st_mtime for path in _sources())
    if not MANIFEST.is_file() or MANIFEST.stat().st_mtime < newest:
        _parse()
    return MANIFEST


def _sources() -> Iterator[Path]:
    """What the project is parsed from. What dbt writes is not walked: it may vanish while another process parses."""
    for part in PROJECT.iterdir():
        if part != TARGET:
            found = part.rglob("*") if part.is_dir() else [part]
            yield from (path for path in found if path.suffix in {".sql", ".yml", ".csv", ".md"})


def _parse() -> None:
    """Parse elsewhere and move into place, the manifest last: no process ever reads half of it.

    Elsewhere is not a folder of the project, which other processes walk and which must not vanish under them.
    """
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tancang-parsing-") as beside:
        folder = Path(beside)
        if (TARGET / _PARSED).is_file():
            shutil.copyfile(TARGET / _PARSED, folder / _PARSED)
        success, _, _ = _invoke(["parse"], folder)
        if not success:
            raise RuntimeError("dbt could not parse the project")
        for name in (_PARSED, MANIFEST.name):
            unfinished = TARGET / f".{name}.{os.getpid()}"
            shutil.copyfile(folder / name, unfinished)
            os.replace(unfinished, TARGET / name)


def stream(events: list[Any], context: dg.AssetExecutionContext, translator: Translator) -> Iterator[Any]:
    for event in events:
        yield from event.to_default_asset_events(MANIFEST, translator, context)


def failed_nodes(result: Any) -> list[str]:
    """`name: message` of every node that did not succeed, for the error a person reads."""
    return [
        f"{item.node.name}: {(item.message or '').strip()}"
        for item in getattr(result, "results", [])
        if str(item.status) in ("error", "fail", "runtime error", "skipped")
    ]
