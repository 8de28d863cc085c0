"""The code location: every module of `defs` contributes its `assets`, `asset_checks`, `jobs`, `schedules` and `sensors`."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import dagster as dg

from orchestration import defs as rooms


def _gather(kind: str) -> list[Any]:
    modules = [
        importlib.import_module(f"{rooms.__name__}.{found.name}")
        for found in pkgutil.iter_modules(rooms.__path__)
    ]
    return [item for module in modules for item in getattr(module, kind, [])]


defs = dg.Definitions(
    assets=_gather("assets"),
    asset_checks=_gather("asset_checks"),
    jobs=_gather("jobs"),
    schedules=_gather("schedules"),
    sensors=_gather("sensors"),
    executor=dg.in_process_executor,
)
