"""Where things are and how they are said: environment, `tancang.toml`, defaults, in that order.

Belongs here: settings of an installation. Does not belong here: anything that changes a figure (that is
the region profile's), or the layout of a home (contracts.home).
"""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingestion.contracts.home import Home
from ingestion.contracts.messages import Message, Refusal

CHECKOUT = Path(__file__).resolve().parent.parent
_PREFIX = "TANCANG_"


class Settings(BaseModel):
    """One installation. Relative paths are taken from the working directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Path(".tancang")
    landing: Path | None = None
    profile: str | None = Field(
        default=None, description="a profile file, or the id of one in the home's profiles/"
    )
    layouts: list[Path] = Field(
        default_factory=list, description="folders of layouts read beside the shipped ones"
    )
    lang: Literal["zh", "en", "both"] = "both"
    as_of: date | None = None
    threads: int = Field(default=2, ge=1, le=256)
    memory_limit: str = "4GB"

    @property
    def paths(self) -> Home:
        return Home(self.home.absolute(), self.landing.absolute() if self.landing else None)


def load_settings(**overrides: Any) -> Settings:
    """Settings from command line over environment over `tancang.toml` (in the home, else here) over defaults.

    Raises Refusal `bad_settings` naming the setting.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    environment: dict[str, Any] = {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX).lower() in Settings.model_fields and value
    }
    if "layouts" in environment:
        environment["layouts"] = [part for part in environment["layouts"].split(os.pathsep) if part]
    home = Path(given.get("home") or environment.get("home") or ".tancang")
    try:
        return Settings(**{**_from_file(home), **environment, **given})
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise Refusal(
            "bad_settings",
            Message(f"设置有误: {error}", f"the settings are wrong: {error}"),
            Message(
                "请检查 TANCANG_ 环境变量或 tancang.toml", "look at the TANCANG_ variables or at tancang.toml"
            ),
        ) from error


def _from_file(home: Path) -> dict[str, Any]:
    for folder in (home, Path()):
        path = folder / "tancang.toml"
        if path.is_file():
            found = tomllib.loads(path.read_text(encoding="utf-8"))
            for name in ("landing", "profile", "layouts"):
                if name in found:
                    values = found[name] if isinstance(found[name], list) else [found[name]]
                    placed = [str(folder / value) if (folder / value).exists() else value for value in values]
                    found[name] = placed if isinstance(found[name], list) else placed[0]
            return found
    return {}


def as_environment(settings: Settings) -> dict[str, str]:
    """The same settings as variables, for a process that loads them again (the web UI's code location)."""
    paths = settings.paths
    variables = {
        "HOME": str(paths.root),
        "LANG": settings.lang,
        "THREADS": str(settings.threads),
        "MEMORY_LIMIT": settings.memory_limit,
        "WAREHOUSE": str(paths.warehouse),
    }
    if settings.landing:
        variables["LANDING"] = str(paths.landing)
    if settings.profile:
        path = Path(settings.profile)
        variables["PROFILE"] = str(path.absolute()) if path.exists() else settings.profile
    if settings.layouts:
        variables["LAYOUTS"] = os.pathsep.join(str(path.absolute()) for path in settings.layouts)
    if settings.as_of:
        variables["AS_OF"] = settings.as_of.isoformat()
    return {_PREFIX + name: value for name, value in variables.items()}
