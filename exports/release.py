"""Publishing one build: write aside, compare, seal, confirm, switch.

Here belongs the order of these acts, and nothing else: each act lives in its own module. Whether the
build may be published is not decided here; `confirm` is called twice, and whatever it raises leaves
`current` where it stands. One publisher at a time per home: the caller holds the night's lock.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exports.candidate import check_candidates, compare_database, compare_parquet, count_rows
from exports.current import (
    RELEASES_NAME,
    ReleasePlan,
    heal,
    plan_release,
    read_pointer,
    set_link,
    write_pointer,
)
from exports.database import write_database
from exports.dictionary import PublishedTable
from exports.manifest import (
    CHECKSUM_NAME,
    DATABASE_NAME,
    MANIFEST_NAME,
    BuildFacts,
    Declaration,
    InputFile,
    OutputFile,
    ReleaseManifest,
    TableSeal,
    VerdictFacts,
    canonical_bytes,
    checksum_bytes,
    parts_hash,
    read_manifest,
    verify,
)
from exports.messages import ExportError, Note
from exports.parquet import write_parquet
from exports.quoting import quoted_name
from exports.seal import FileSeal, check_portable, files_of, flush_folder, hash_files, remove_tree, seal_tree

if TYPE_CHECKING:
    import duckdb

BUILDING_PREFIX = ".building-"
_RESERVED = frozenset({"parquet", DATABASE_NAME, MANIFEST_NAME, CHECKSUM_NAME, "manifest.sig"})


@dataclass(frozen=True)
class PublishedRelease:
    """What came of it. `is_identical`: this very release stood already and nothing was written."""

    release_id: str
    path: Path
    number: int
    parent_release_id: str | None
    is_identical: bool
    is_current: bool
    is_linked: bool
    notes: tuple[Note, ...]
    manifest: ReleaseManifest


def publish(
    con: duckdb.DuckDBPyConnection,
    home: Path,
    tables: Sequence[PublishedTable],
    build: BuildFacts,
    inputs: Sequence[InputFile],
    declarations: Sequence[Declaration],
    verdict: VerdictFacts,
    extras: Mapping[str, Path],
    confirm: Callable[[], object],
    on_step: Callable[[str], object] = lambda step: None,
) -> PublishedRelease:
    """Publish the candidates of the warehouse behind `con` as one immutable release and switch
    `current` to it.

    `extras`: files or folders to carry along (Data Docs), by their name in the release. `on_step` is
    told each step when it is done; tests stop there, progress bars advance. The same build published
    again changes nothing.
    """
    home = home.absolute()
    if verdict.outcome != "pass":
        raise ExportError(
            f"质量闸门结论为 {verdict.outcome}（{verdict.n_fail} 项不通过），不予发布。",
            f"the gate says {verdict.outcome} ({verdict.n_fail} rules fail): nothing is published.",
        )
    confirm()
    on_step("confirmed")
    building = home / RELEASES_NAME / f"{BUILDING_PREFIX}{build.release_id}"
    try:
        clean_up(home)
        plan = plan_release(home, build.as_of, build.fingerprint)
        building.mkdir(parents=True)
        on_step("building")
        check_candidates(con, tables)
        _check_release_row(con, tables, plan)
        parts = _write_parquet(con, tables, building, on_step)
        if plan.is_existing:
            manifest = _same_as_existing(home, plan, tables, parts, building)
        else:
            manifest = _write_rest(
                con, building, tables, parts, plan, build, inputs, declarations, verdict, extras, on_step
            )
        # between the first look and now lies all the writing: the verdict must still be of this very build
        confirm()
        on_step("reconfirmed")
        if plan.is_existing:
            remove_tree(building)
        else:
            building.rename(home / RELEASES_NAME / plan.release_id)
            flush_folder(home / RELEASES_NAME)
            on_step("renamed")
        return _switch(home, plan, manifest, on_step)
    except OSError as error:
        raise _cannot_write(error) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
            raise _cannot_write(error) from error
        raise
    finally:
        _discard(building)


def clean_up(home: Path) -> None:
    """Remove what a killed night left half done, and let the link follow current.json again."""
    for leftover in sorted((home / RELEASES_NAME).glob(f"{BUILDING_PREFIX}*")):
        remove_tree(leftover)
    heal(home)


def engine_versions() -> dict[str, str]:
    """Versions that may move bytes or digits, read without importing anything heavy."""
    versions = {name: importlib.metadata.version(name) for name in ("duckdb", "polars", "pyarrow")}
    return {**versions, "python": platform.python_version()}


def _write_parquet(
    con: duckdb.DuckDBPyConnection,
    tables: Sequence[PublishedTable],
    building: Path,
    on_step: Callable[[str], object],
) -> dict[str, list[str]]:
    parts = {}
    for table in tables:
        parts[table.name] = write_parquet(con, table, building)
        compare_parquet(con, table, building, parts[table.name])
        on_step(f"parquet:{table.name}")
    return parts


def _write_rest(
    con: duckdb.DuckDBPyConnection,
    building: Path,
    tables: Sequence[PublishedTable],
    parts: Mapping[str, list[str]],
    plan: ReleasePlan,
    build: BuildFacts,
    inputs: Sequence[InputFile],
    declarations: Sequence[Declaration],
    verdict: VerdictFacts,
    extras: Mapping[str, Path],
    on_step: Callable[[str], object],
) -> ReleaseManifest:
    """Database, extras, manifest; then everything is flushed and made read-only."""
    write_database(con, tables, building / DATABASE_NAME)
    compare_database(con, tables, building / DATABASE_NAME)
    on_step("database")
    _copy_extras(building, extras)
    check_portable(building)
    on_step("extras")
    seals = _seals(building)
    manifest = ReleaseManifest(
        release_id=plan.release_id,
        number=plan.number,
        parent_release_id=plan.parent_release_id,
        as_of=build.as_of,
        build_id=build.build_id,
        code_version=build.code_version,
        fingerprint=build.fingerprint,
        engine_versions=engine_versions(),
        verdict=verdict,
        tables=tuple(
            TableSeal(
                name=table.name,
                n_rows=count_rows(con, table),
                content_sha256=parts_hash({part: seals[part] for part in parts[table.name]}),
            )
            for table in tables
        ),
        inputs=tuple(sorted(inputs, key=lambda file: (file.source or "", file.path, file.sha256))),
        declarations=tuple(sorted(declarations, key=lambda declaration: declaration.name)),
        outputs=tuple(
            OutputFile(path=path, sha256=seal.sha256, size_bytes=seal.size_bytes)
            for path, seal in sorted(seals.items())
        ),
    )
    content = canonical_bytes(manifest)
    (building / MANIFEST_NAME).write_bytes(content)
    (building / CHECKSUM_NAME).write_bytes(checksum_bytes(content))
    on_step("manifest")
    seal_tree(building)
    on_step("sealed")
    return manifest


def _same_as_existing(
    home: Path,
    plan: ReleasePlan,
    tables: Sequence[PublishedTable],
    parts: Mapping[str, list[str]],
    building: Path,
) -> ReleaseManifest:
    """The manifest of the release under this id, if it is whole and holds the same tables; else an error."""
    existing = home / RELEASES_NAME / plan.release_id
    if problems := verify(existing):
        raise ExportError(
            f"已有发布物 {plan.release_id} 已损坏，不会覆盖：{problems[0].text_zh} "
            "请从备份恢复，或移走该文件夹后重跑。",
            f"release {plan.release_id} exists, is damaged and is never overwritten: {problems[0].text_en} "
            "Restore it from a copy, or move the folder away and run again.",
        )
    manifest = read_manifest(existing)
    seals = _seals(building)
    ours = {table.name: parts_hash({part: seals[part] for part in parts[table.name]}) for table in tables}
    theirs = {table.name: table.content_sha256 for table in manifest.tables}
    if ours == theirs:
        return manifest
    different = ", ".join(sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)))
    engines = [
        f"{name} {manifest.engine_versions.get(name)} → {version}"
        for name, version in engine_versions().items()
        if name != "python" and manifest.engine_versions.get(name) != version
    ]
    cause_zh = f"引擎版本已变：{', '.join(engines)}。" if engines else "构建指纹相同而内容不同。"
    cause_en = (
        f"the engine changed: {', '.join(engines)}."
        if engines
        else "the same fingerprint gave other content."
    )
    raise ExportError(
        f"发布物 {plan.release_id} 已存在，但以下表与本次不同：{different}。{cause_zh}已发布的内容从不覆盖。",
        f"release {plan.release_id} exists, but these tables differ from this build: {different}; {cause_en} "
        "What was published is never overwritten.",
    )


def _switch(
    home: Path, plan: ReleasePlan, manifest: ReleaseManifest, on_step: Callable[[str], object]
) -> PublishedRelease:
    pointer = read_pointer(home)
    withdrawn = set(pointer.withdrawn) if pointer else set()
    notes: list[Note] = []
    is_current, is_linked = True, True
    if plan.release_id in withdrawn:
        is_current = False
        notes.append(
            Note(
                f"{plan.release_id} 曾被回退，未重新启用；如需启用：tancang rollback {plan.release_id}。",
                f"{plan.release_id} was withdrawn and is not brought back by a night; to bring it back: "
                f"tancang rollback {plan.release_id}.",
            )
        )
    else:
        if pointer is None or pointer.release_id != plan.release_id:
            write_pointer(home, plan.release_id, withdrawn)
        on_step("named")
        is_linked = set_link(home, plan.release_id)
        on_step("linked")
        if not is_linked:
            notes.append(
                Note(
                    "此处不支持符号链接 current，请以 current.json 为准。",
                    "no link `current` can be made here: current.json names the release that stands.",
                )
            )
    return PublishedRelease(
        plan.release_id,
        home / RELEASES_NAME / plan.release_id,
        manifest.number,
        manifest.parent_release_id,
        plan.is_existing,
        is_current,
        is_linked,
        tuple(notes),
        manifest,
    )


def _check_release_row(
    con: duckdb.DuckDBPyConnection, tables: Sequence[PublishedTable], plan: ReleasePlan
) -> None:
    """A published table `release` must know the release that it is part of, with the right parent."""
    table = next((table for table in tables if table.name == "release"), None)
    if table is None or not {"release_id", "parent_release_id"} <= set(table.column_names):
        return
    rows = con.execute(
        f'select "parent_release_id" from {table.candidate} where {quoted_name("release_id")} = ?',
        [plan.release_id],
    ).fetchall()
    if rows != [(plan.parent_release_id,)]:
        raise ExportError(
            f"表 release 中应有且仅有一行 {plan.release_id}（上一版 {plan.parent_release_id}），现为 {rows}。"
            "请重跑。",
            f"table release must hold one row {plan.release_id} with parent {plan.parent_release_id}, "
            f"found {rows}. Run the night again.",
        )


def _copy_extras(building: Path, extras: Mapping[str, Path]) -> None:
    for name, source in sorted(extras.items()):
        target = building / name
        is_plain = bool(name) and not name.startswith(".") and not {"/", "\\"} & set(name)
        if not is_plain or target.exists() or name.casefold() in _RESERVED:
            raise ExportError(f"附件名 {name!r} 不可用。", f"an extra cannot be called {name!r}.")
        if source.is_dir():
            # links are copied as links, so that check_portable names them
            shutil.copytree(source, target, symlinks=True, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, target)


def _seals(root: Path) -> dict[str, FileSeal]:
    seals = {}
    for path, seal in hash_files(root, files_of(root)).items():
        if isinstance(seal, OSError):
            raise seal
        seals[path] = seal
    return seals


def _discard(building: Path) -> None:
    """Drop what was not published; a folder that cannot be removed now is removed at the next start."""
    try:
        remove_tree(building)
    except OSError:
        return


def _cannot_write(error: Exception) -> ExportError:
    return ExportError(
        f"发布未完成，上一版仍然有效：{error}。请检查磁盘空间与写入权限后重跑。",
        f"the release was not made and the last one still stands: {error}. Check disk space and permissions, "
        "then run again.",
    )
