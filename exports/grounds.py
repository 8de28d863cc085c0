"""What a figure rests on beside its cells: factor rows with their source, rules and waivers that touch it.

Belongs here: reading both from a release. Which ones a figure names belongs to explain.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class FactorRow:
    """A row of the registry: value, unit, and where it comes from."""

    factor_id: str
    name_zh: str
    name_en: str
    value: str
    unit: str | None
    issuer: str | None
    document: str | None
    document_no: str | None
    status: str | None


@dataclass(frozen=True)
class RuleFound:
    """What a rule found: on the tables that the figure passes through, or in a row that it is made of."""

    rule_id: str
    severity: str
    outcome: str
    n_failing: int
    n_here: int
    waiver_id: str | None
    text_zh: str
    text_en: str


class Located(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def row_number(self) -> int | None: ...


def factor_rows(con: duckdb.DuckDBPyConnection, factor_ids: Collection[str]) -> tuple[FactorRow, ...]:
    """The rows by their ids, in order; what the release does not list is not invented."""
    found = con.execute(
        "select factor_id, name_zh, name_en, factor_value::varchar, factor_unit, issuer, document, document_no, status "
        "from published.factor where factor_id in (select unnest(?::varchar[])) order by factor_id",
        [sorted(factor_ids)],
    ).fetchall()
    return tuple(FactorRow(*row) for row in found)


def rules_of(
    con: duckdb.DuckDBPyConnection,
    tables: Sequence[str],
    keys: Mapping[str, str],
    places: Sequence[Located],
) -> tuple[RuleFound, ...]:
    """Rules about the tables on the way, whatever they found, and every rule that names a line or key of this figure."""
    lines = sorted({f"{place.path}|{place.row_number}" for place in places if place.row_number is not None})
    subject = keys.get("institution_id") or keys.get("building_code") or ""
    found = con.execute(
        """with here as (
            select rule_id, count(*) as n_here from published.quality_failure
            where list_contains($lines, path || '|' || line::varchar)
                or (cell is not null and list_contains($lines, path || '|' || regexp_extract(cell, '[0-9]+$')))
                or ($subject <> '' and list_contains(string_split(row_key, '|'), $subject))
            group by rule_id
        )
        select rule_id, severity, outcome, n_failing, coalesce(n_here, 0), waiver_id, text_zh, text_en
        from published.quality_result left join here using (rule_id)
        where n_here > 0 or rule_id = 'parts_add_up' or list_contains($scopes, scope)
        order by coalesce(n_here, 0) desc, outcome = 'pass', rule_id""",
        {"lines": lines, "subject": subject, "scopes": [f"marts.{table}" for table in tables]},
    ).fetchall()
    return tuple(RuleFound(*row) for row in found)
