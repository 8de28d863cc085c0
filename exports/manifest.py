"""The manifest of a release: what went in, what came out, under which verdict; and checking a release
against it.

Here belongs the model, its canonical bytes and `verify`. Making the files that it lists does not.
Nothing here needs a database: a release is verified with the standard library and pydantic alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exports.messages import ExportError
from exports.seal import FileSeal, files_of, hash_files, is_plain_file

MANIFEST_NAME = "manifest.json"
CHECKSUM_NAME = "manifest.sha256"
DATABASE_NAME = "inventory.duckdb"
RELEASE_ID = re.compile(r"\d{8}-[0-9a-f]{12}")
_SHA256 = r"^[0-9a-f]{64}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputFile(_Strict):
    """One archived file that the build read."""

    path: str
    sha256: str = Field(pattern=_SHA256)
    size_bytes: int
    received_on: date | None
    source: str | None = None


class Declaration(_Strict):
    """One declaration of the home or the product: profile, layout, corrections, waivers, seed."""

    name: str
    sha256: str = Field(pattern=_SHA256)


class OutputFile(_Strict):
    path: str
    sha256: str = Field(pattern=_SHA256)
    size_bytes: int


class TableSeal(_Strict):
    """One published table; its content hash is the same wherever and however it is built.

    One Parquet part: the SHA-256 of that file. Parts by region and year: the SHA-256 over one line
    `<sha256>  <path>` per part, in order of path (what `sha256sum parquet/<table>/**` prints, hashed).
    """

    name: str
    n_rows: int
    content_sha256: str = Field(pattern=_SHA256)


class VerdictFacts(_Strict):
    """The gate's verdict on this build."""

    outcome: Literal["pass", "fail"]
    n_fail: int
    n_warn: int
    digest: str


class BuildFacts(_Strict):
    """What the caller knows of the build that is to be published."""

    as_of: date
    code_version: str
    fingerprint: str = Field(pattern=r"^[0-9a-f]{12,}$")
    build_id: str

    @property
    def release_id(self) -> str:
        return release_id_of(self.as_of, self.fingerprint)


class ReleaseManifest(_Strict):
    """manifest.json."""

    manifest_version: Literal[1] = 1
    release_id: str
    number: int
    parent_release_id: str | None
    as_of: date
    build_id: str
    code_version: str
    fingerprint: str
    engine_versions: dict[str, str]
    verdict: VerdictFacts
    tables: tuple[TableSeal, ...]
    inputs: tuple[InputFile, ...]
    declarations: tuple[Declaration, ...]
    outputs: tuple[OutputFile, ...]
    is_signed: Literal[False] = False
    signature: Literal["unsigned"] = "unsigned"


@dataclass(frozen=True)
class Problem:
    """One file of a release that is not what the manifest says."""

    path: str
    kind: Literal["changed", "missing", "extra", "unreadable", "inconsistent"]
    found: str
    expected: str
    text_zh: str
    text_en: str


def release_id_of(as_of: date, fingerprint: str) -> str:
    return f"{as_of:%Y%m%d}-{fingerprint[:12]}"


def canonical_bytes(model: BaseModel) -> bytes:
    """JSON in one form only: sorted keys, UTF-8, a line per entry so that two manifests can be compared
    by eye.
    """
    payload = model.model_dump(mode="json")
    return (json.dumps(payload, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def checksum_bytes(content: bytes) -> bytes:
    """The line that `sha256sum --check manifest.sha256` reads."""
    return f"{hashlib.sha256(content).hexdigest()}  {MANIFEST_NAME}\n".encode()


def parts_hash(parts: dict[str, FileSeal]) -> str:
    """Content hash of a table from its Parquet parts (see TableSeal)."""
    if len(parts) == 1:
        return next(iter(parts.values())).sha256
    lines = "".join(f"{seal.sha256}  {path}\n" for path, seal in sorted(parts.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_manifest(release: Path) -> ReleaseManifest:
    path = release / MANIFEST_NAME
    try:
        return ReleaseManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ExportError(
            f"无法读取发布物清单 {path}：{error}。请从备份恢复该发布物，或用 tancang rollback 回到上一版。",
            f"cannot read the manifest {path}: {error}. Restore this release from a copy, or go back with "
            "tancang rollback.",
        ) from error


def verify(release: Path) -> list[Problem]:
    """Everything in a release folder that differs from its manifest; an empty list means whole.

    The manifest itself is held by `manifest.sha256`, by its canonical form and by the folder's name. Against
    somebody who rewrites both files only a signature helps, and this release says that it has none.
    """
    path = release / MANIFEST_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [_missing(MANIFEST_NAME)]
    except OSError as error:
        return [_unreadable(MANIFEST_NAME, str(error))]
    problems = list(_manifest_problems(release, content))
    try:
        manifest = ReleaseManifest.model_validate_json(content)
    except ValidationError as error:
        return [
            *problems,
            _unreadable(MANIFEST_NAME, f"{error.error_count()} errors: {error.errors()[0]['msg']}"),
        ]
    problems += _statement_problems(release, manifest, content)
    return problems + list(_file_problems(release, manifest))


def _manifest_problems(release: Path, content: bytes) -> Iterator[Problem]:
    expected = checksum_bytes(content)
    try:
        found = (release / CHECKSUM_NAME).read_bytes()
    except FileNotFoundError:
        yield _missing(CHECKSUM_NAME)
        return
    except OSError as error:
        yield _unreadable(CHECKSUM_NAME, str(error))
        return
    if found != expected:
        yield Problem(
            MANIFEST_NAME, "changed", _shown(found), _shown(expected),
            f"{MANIFEST_NAME} 与 {CHECKSUM_NAME} 不一致：其中一个文件被改动。",
            f"{MANIFEST_NAME} and {CHECKSUM_NAME} disagree: one of the two files was changed.",
        )  # fmt: skip


def _statement_problems(release: Path, manifest: ReleaseManifest, content: bytes) -> list[Problem]:
    """What the manifest says about itself: its form, its id, its verdict, its content hashes."""
    sealed = {output.path: FileSeal(output.sha256, output.size_bytes) for output in manifest.outputs}
    checks: list[tuple[str, str]] = [
        (release.resolve().name, manifest.release_id),
        (release_id_of(manifest.as_of, manifest.fingerprint), manifest.release_id),
        (manifest.verdict.outcome, "pass"),
        ("canonical" if canonical_bytes(manifest) == content else "not canonical", "canonical"),
    ]
    for table in manifest.tables:
        prefix = f"parquet/{table.name}/"
        parts = {path: seal for path, seal in sealed.items() if path.startswith(prefix)}
        checks.append((parts_hash(parts) if parts else f"{prefix}: no part", table.content_sha256))
    return [
        Problem(
            MANIFEST_NAME, "inconsistent", found, expected,
            f"{MANIFEST_NAME} 自身不一致：现为 {found}，应为 {expected}。",
            f"{MANIFEST_NAME} contradicts itself: found {found}, expected {expected}.",
        )
        for found, expected in checks
        if found != expected
    ]  # fmt: skip


def _file_problems(release: Path, manifest: ReleaseManifest) -> Iterator[Problem]:
    listed = {output.path: output for output in manifest.outputs}
    present = set(files_of(release)) - {MANIFEST_NAME, CHECKSUM_NAME}
    plain = [path for path in sorted(present & set(listed)) if is_plain_file(release / path)]
    seals = hash_files(release, plain)
    for path in sorted(present | set(listed)):
        if path not in present:
            yield _missing(path)
        elif path not in listed:
            yield Problem(
                path, "extra", "present", "absent",
                f"多出文件 {path}：清单中没有它。",
                f"extra file {path}: the manifest does not list it.",
            )  # fmt: skip
        elif path not in seals:
            yield _unreadable(path, "link or special file")
        else:
            seal, output = seals[path], listed[path]
            if isinstance(seal, OSError):
                yield _unreadable(path, str(seal))
            elif (seal.sha256, seal.size_bytes) != (output.sha256, output.size_bytes):
                yield Problem(
                    path, "changed",
                    f"{seal.sha256} ({seal.size_bytes} B)", f"{output.sha256} ({output.size_bytes} B)",
                    f"文件被改动：{path}（现 {seal.sha256[:12]}…，{seal.size_bytes} 字节；"
                    f"应为 {output.sha256[:12]}…，{output.size_bytes} 字节）。",
                    f"changed file: {path} (found {seal.sha256[:12]}…, {seal.size_bytes} bytes; "
                    f"expected {output.sha256[:12]}…, {output.size_bytes} bytes).",
                )  # fmt: skip


def _missing(path: str) -> Problem:
    return Problem(path, "missing", "absent", "present", f"缺少文件 {path}。", f"missing file {path}.")


def _unreadable(path: str, why: str) -> Problem:
    return Problem(
        path, "unreadable", why, "readable", f"无法读取 {path}：{why}。", f"cannot read {path}: {why}."
    )  # fmt: skip


def _shown(content: bytes) -> str:
    return content.decode("utf-8", "replace").strip()[:80]
