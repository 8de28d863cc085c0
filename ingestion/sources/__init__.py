"""One folder per source family: its layouts, its raw tables (`schema.py`), its README. Adding a folder registers nothing."""

from __future__ import annotations

import importlib
import pkgutil

import pandera.polars as pa

from ingestion.reference import Reference

SOURCES: tuple[str, ...] = tuple(
    sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
)


def raw_tables(source: str, reference: Reference) -> dict[str, pa.DataFrameSchema]:
    """Target → schema of `raw.<source>__<target>`; the schema's checks are the reasons for quarantine."""
    module = importlib.import_module(f"ingestion.sources.{source}.schema")
    tables: dict[str, pa.DataFrameSchema] = module.raw_tables(reference)
    return tables
