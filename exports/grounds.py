"""What a figure rests on beside its cells: factor rows with their source, rules and waivers that touch it.

Belongs here: reading both from a release. Which ones a figure names belongs to explain.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import duckdb


PARTS_RULE = "parts_add_up"


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


class Grounds:
    """Factor rows and rules of one release; both are few, so they are read once and asked often."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        factors = con.execute(
            "select factor_id, name_zh, name_en, factor_value::varchar, factor_unit, issuer, document, document_no, status "
            "from published.factor"
        ).fetchall()
        self._factors = {str(row[0]): FactorRow(*row) for row in factors}
        self._rules = con.execute(
            "select rule_id, scope, severity, outcome, n_failing, waiver_id, text_zh, text_en from published.quality_result "
            "order by outcome = 'pass', rule_id"
        ).fetchall()

    def factors(self, factor_ids: Collection[str]) -> tuple[FactorRow, ...]:
        """The rows by their ids, in order; what the release does not list is not invented."""
        return tuple(self._factors[name] for name in sorted(factor_ids) if name in self._factors)

    def rules(
        self, tables: Sequence[str], keys: Mapping[str, str], places: Sequence[Located]
    ) -> tuple[RuleFound, ...]:
        """Rules about the tables on the way, whatever they found, and every rule that names a line or key of this
        figure, those first.
        """
        here = self._found_here(keys, places)
        scopes = {f"marts.{table}" for table in tables}
        found = [
            RuleFound(
                rule_id, severity, outcome, n_failing, here.get(rule_id, 0), waiver_id, text_zh, text_en
            )
            for rule_id, scope, severity, outcome, n_failing, waiver_id, text_zh, text_en in self._rules
            if rule_id in here or scope in scopes or rule_id == PARTS_RULE
        ]
        return tuple(sorted(found, key=lambda rule: -rule.n_here))

    def _found_here(self, keys: Mapping[str, str], places: Sequence[Located]) -> dict[str, int]:
        lines = sorted(
            {f"{place.path}|{place.row_number}" for place in places if place.row_number is not None}
        )
        subject = keys.get("institution_id") or keys.get("building_code") or ""
        found = self._con.execute(
            """select rule_id, count(*) from published.quality_failure
            where list_contains($lines, path || '|' || coalesce(line::varchar, regexp_extract(cell, '[0-9]+$')))
                or ($subject <> '' and list_contains(string_split(row_key, '|'), $subject))
            group by rule_id""",
            {"lines": lines, "subject": subject},
        ).fetchall()
        return {str(rule_id): int(n_rows) for rule_id, n_rows in found}
