"""Models of the dbt project on a database in memory, rendered by Jinja as dbt renders them, for tests that vary their input."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
from jinja2 import Environment

PROJECT = Path(__file__).parents[2] / "dbt_project"


@cache
def rendered(model: str) -> str:
    """The SQL of a model; every table that it reads is one of that name in the current database."""
    (path,) = (PROJECT / "models").rglob(f"{model}.sql")
    macros = "\n".join(
        macro.read_text(encoding="utf-8")
        for macro in sorted((PROJECT / "macros").glob("*.sql"))
        if macro.name != "generate_schema_name.sql"
    )
    source = macros + "\n" + path.read_text(encoding="utf-8")
    return Environment().from_string(source).render(ref=lambda name: name, source=lambda _, name: name)


def build(con: duckdb.DuckDBPyConnection, *models: str) -> None:
    """Make a table of each model, in the order given."""
    for model in models:
        con.execute(f"create or replace table {model} as {rendered(model)}")
