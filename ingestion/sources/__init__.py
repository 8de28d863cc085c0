"""One folder per source family: its layouts, its raw tables (`schema.py`), its README. Adding a folder registers nothing."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from ingestion.reference import Reference, load_reference

if TYPE_CHECKING:
    import pandera.polars as pa

SOURCES: tuple[str, ...] = tuple(
    sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
)


def raw_tables(source: str, reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """Target → schema of `raw.<source>__<target>`; the schema's checks are the reasons for quarantine."""
    tables: dict[str, pa.DataFrameSchema] = _schema(source).raw_tables(reference)
    return tables


def item_family(source: str, form: str) -> str:
    """The code system of a form's items: the same code means different things in different families."""
    family: str = _schema(source).item_family(form)
    return family


@cache
def targets(source: str) -> frozenset[str]:
    """Names of the raw tables of a source; none for a source that does not exist."""
    return frozenset(raw_tables(source, load_reference())) if source in SOURCES else frozenset()


def _schema(source: str) -> ModuleType:
    return importlib.import_module(f"ingestion.sources.{source}.schema")
