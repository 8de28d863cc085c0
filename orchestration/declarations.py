"""The home's own declarations: profile, factors, layouts, corrections, code mappings, decisions, waivers; and the seal of the code itself.

Belongs here: finding and reading declarations, their digests. Does not belong here: what they mean.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import duckdb
import polars
import pyarrow
import yaml
from pydantic import BaseModel, ValidationError

from ingestion.contracts import yaml_text
from ingestion.contracts.codes import CodeMapping
from ingestion.contracts.corrections import Correction
from ingestion.contracts.freezing import FrozenYear, Restatement
from ingestion.contracts.identity import digest
from ingestion.contracts.matches import MatchDecision
from ingestion.contracts.messages import Message, Refusal
from ingestion.contracts.precedence import PrecedenceOverride
from ingestion.contracts.profile import RegionProfile
from ingestion.declared import check_carriers
from ingestion.layouts.files import load_layouts, shipped_folders
from ingestion.layouts.model import Layout
from ingestion.registry import Registry, check_profile, load_registry
from orchestration.settings import CHECKOUT, Settings

VERSION = "0.1.0"
_CODE = ("ingestion", "quality", "exports", "orchestration", "dbt_project")
_CODE_SUFFIXES = {".py", ".sql", ".yml", ".csv", ".md"}
_Entry = TypeVar("_Entry", bound=BaseModel)
_NOT_CODE = {"target", "logs", "__pycache__", "vendor"}


@dataclass(frozen=True)
class Declarations:
    """Everything besides files and clock that a figure depends on; `seals` names each with its digest."""

    profile: RegionProfile
    layouts: list[Layout]
    corrections: list[Correction]
    codes: list[CodeMapping]
    matches: list[MatchDecision]
    overrides: list[PrecedenceOverride]
    frozen: list[FrozenYear]
    restatements: list[Restatement]
    registry: Registry
    seals: dict[str, str]
    code_version: str


def load_declarations(settings: Settings) -> Declarations:
    """Read all declarations. Raises Refusal naming the file and the place."""
    paths = settings.paths
    profile, profile_digest = _profile(settings)
    folders = [*shipped_folders(), *[path.absolute() for path in settings.layouts], paths.layouts]
    layouts = load_layouts([folder for folder in folders if folder.is_dir()])
    corrections = load_corrections(paths.corrections)
    codes = load_codes(paths.codes)
    matches = load_matches(paths.matches)
    overrides = load_overrides(paths.precedence)
    frozen = load_frozen(paths.frozen)
    restatements = load_restatements(paths.restatements)
    registry = load_registry(paths.factors)
    check_profile(registry, profile)
    check_carriers(profile, overrides)
    code = code_digest()
    seals = {f"layout {layout.id}": layout.digest for layout in layouts}
    seals[f"profile {profile.id}"] = profile_digest
    seals["corrections.yml"] = digest([item.model_dump(mode="json") for item in corrections])
    seals["codes.yml"] = digest([item.model_dump(mode="json") for item in codes])
    seals["matches.yml"] = digest([item.model_dump(mode="json") for item in matches])
    for path, entries in (
        (paths.precedence, overrides),
        (paths.frozen, frozen),
        (paths.restatements, restatements),
    ):
        seals[path.name] = digest([item.model_dump(mode="json") for item in entries])
    seals["factors.csv"] = digest([row.as_row() for row in registry.home])
    seals["waivers.yml"] = _file_digest(paths.waivers)
    seals["code and seeds"] = code
    return Declarations(
        profile=profile,
        layouts=layouts,
        corrections=corrections,
        codes=codes,
        matches=matches,
        overrides=overrides,
        frozen=frozen,
        restatements=restatements,
        registry=registry,
        seals=seals,
        code_version=f"{VERSION}+{code[:12]}",
    )


def _profile(settings: Settings) -> tuple[RegionProfile, str]:
    path = _profile_path(settings)
    try:
        profile = RegionProfile.model_validate(yaml_text.parsed(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise Refusal(
            "bad_profile",
            Message(f"区域配置 {path.name} 有误: {error}", f"profile {path.name} is wrong: {error}"),
            Message("请按 docs/profiles.md 修改", "mend it as docs/profiles.md describes"),
        ) from error
    return profile, digest(profile.model_dump(mode="json", exclude={"published_figures"}))


def _profile_path(settings: Settings) -> Path:
    folder = settings.paths.profiles
    if settings.profile is None:
        found = sorted(folder.glob("*.yml"))
        if len(found) == 1:
            return found[0]
    else:
        for path in (Path(settings.profile), folder / f"{settings.profile}.yml"):
            if path.is_file():
                return path
    raise Refusal(
        "no_profile",
        Message("没有找到区域配置", "no region profile was found"),
        Message(
            f"请在 {folder.name}/ 放一个配置文件, 或用 --profile 指定; `tancang init` 会生成一个示例",
            f"put one in {folder.name}/ or name one with --profile; `tancang init` writes an example",
        ),
    )


def load_corrections(path: Path) -> list[Correction]:
    """The corrections of a home, or none. Two with one id, or a wrong one, are refused."""
    found = _entries(path, Correction)
    _refuse_twice(path, [item.id for item in found])
    return found


def load_codes(path: Path) -> list[CodeMapping]:
    """The code mappings of a home, or none. Two for one code, or a wrong one, are refused."""
    found = _entries(path, CodeMapping)
    _refuse_twice(path, [" ".join(part or "*" for part in item.key) for item in found])
    return found


def load_matches(path: Path) -> list[MatchDecision]:
    """The decisions on matches of a home, or none. Two for one row, or a wrong one, are refused."""
    found = _entries(path, MatchDecision)
    _refuse_twice(path, [" ".join(part or "*" for part in item.key) for item in found])
    return found


def load_overrides(path: Path) -> list[PrecedenceOverride]:
    """The overrides of a home, or none. Two with one id or for one key, or a wrong one, are refused."""
    found = _entries(path, PrecedenceOverride)
    _refuse_twice(path, [item.id for item in found])
    _refuse_twice(path, [f"{item.institution} {item.carrier} {item.year}" for item in found])
    return found


def load_frozen(path: Path) -> list[FrozenYear]:
    """The years that a home has signed off, or none. A year that stands twice is refused."""
    found = _entries(path, FrozenYear)
    _refuse_twice(path, [str(item.year) for item in found])
    return found


def load_restatements(path: Path) -> list[Restatement]:
    """What a home lets move a frozen year, or nothing. Two for one key, or a wrong one, are refused."""
    found = _entries(path, Restatement)
    _refuse_twice(path, [" ".join(map(str, item.key)) for item in found])
    return found


def _entries(path: Path, model: type[_Entry]) -> list[_Entry]:
    if not path.is_file():
        return []
    try:
        return [
            model.model_validate(item) for item in yaml_text.parsed(path.read_text(encoding="utf-8")) or []
        ]
    except (ValidationError, yaml.YAMLError, TypeError, UnicodeDecodeError) as error:
        raise Refusal(
            f"bad_{path.stem}",
            Message(f"{path.name} 有误: {error}", f"{path.name} is wrong: {error}"),
            Message("请改正该文件", "mend the file"),
        ) from error


def _refuse_twice(path: Path, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refusal(
            f"{path.stem}_twice",
            Message(f"{path.name} 中重复: {', '.join(twice)}", f"twice in {path.name}: {', '.join(twice)}"),
            Message("每条只写一次", "write each of them once"),
        )


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else digest(None)


@cache
def code_digest() -> str:
    """One digest over the product's own code, seeds and rules, and the engines whose bytes we publish.

    Taken once per process: what runs is the code that was loaded, whatever happens to the files meanwhile.
    """
    seen = hashlib.sha256()
    for name in _CODE:
        for path in sorted((CHECKOUT / name).rglob("*")):
            if path.suffix in _CODE_SUFFIXES and not _NOT_CODE & set(path.parts):
                seen.update(path.relative_to(CHECKOUT).as_posix().encode())
                seen.update(hashlib.sha256(path.read_bytes()).digest())
    seen.update(
        f"duckdb {duckdb.__version__} pyarrow {pyarrow.__version__} polars {polars.__version__} "
        f"numpy {version('numpy')}".encode()
    )
    return seen.hexdigest()
