"""What ingestion must know of the seeds: item codes and their units, unit spellings, the register.

Belongs here: reading the seed CSVs that the warehouse also loads, so that a code is declared once. No
factor, coefficient or density is read here: ingestion never computes a figure.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SEEDS = Path(__file__).parent.parent / "dbt_project" / "seeds"


@dataclass(frozen=True)
class Reference:
    """Codes and units.

    `items[(form family, code)]` → canonical unit; `allowed_units` holds (form, code, unit text) that have a
    conversion path; `known_units` every spelling of any unit.
    """

    items: dict[tuple[str, str], str | None]
    known_units: frozenset[str]
    allowed_units: frozenset[tuple[str, str, str]]
    spellings: dict[str, frozenset[str]]
    """Canonical unit → every spelling that converts to it."""
    editions: dict[tuple[str, str], list[tuple[str, str | None]]] = field(default_factory=dict)
    """`(form, code)` → (first edition that has it, first that has not) of each time it was in the form."""

    def not_in_edition(self, family: str, edition: str) -> list[str]:
        """Codes of a family that this edition does not have. An edition before the first known is the first."""
        firsts = [start for (of, _), spans in self.editions.items() if of == family for start, _ in spans]
        known = max(edition, min(firsts, default=edition))
        return sorted(
            code
            for (of, code), spans in self.editions.items()
            if of == family
            and not any(start <= known and (end is None or known < end) for start, end in spans)
        )

    def measured_codes(self, family: str) -> list[str]:
        """Codes of a family whose unit is known."""
        return sorted(code for (of, code), unit in self.items.items() if of == family and unit)


def _rows(name: str, seeds: Path) -> list[dict[str, str]]:
    with (seeds / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def load_reference(seeds: Path = SEEDS) -> Reference:
    """Read the seeds. Raises FileNotFoundError when the checkout is incomplete."""
    units: dict[str, set[str]] = {}
    for row in _rows("conversions/unit_conversions.csv", seeds):
        units.setdefault(row["canonical_unit"], set()).add(row["unit_text"])
    paths: dict[tuple[str, str], set[str]] = {}
    for row in _rows("conversions/carrier_conversions.csv", seeds):
        paths.setdefault((row["carrier"], row["to_unit"]), set()).add(row["from_unit"])
    bases = {row["carrier"]: row["base_carrier"] for row in _rows("codes/carriers.csv", seeds)}
    items: dict[tuple[str, str], str | None] = {}
    editions: dict[tuple[str, str], list[tuple[str, str | None]]] = {}
    allowed: set[tuple[str, str, str]] = set()
    coded = [
        ("codes/direct_report_items.csv", None),
        ("codes/metering_items.csv", "metering"),
        ("codes/audit_items.csv", "audit"),
    ]
    for name, family in coded:
        for row in _rows(name, seeds):
            form, unit = family or row["form_code"], row["canonical_unit"] or None
            items[(form, row["item_code"])] = unit
            if "edition_from" in row:
                span = (row["edition_from"], row["removed_in"] or None)
                editions.setdefault((form, row["item_code"]), []).append(span)
            if unit is None:
                continue
            reachable = {unit} | paths.get((bases.get(row["carrier"], row["carrier"]), unit), set())
            allowed |= {(form, row["item_code"], text) for to in reachable for text in units.get(to, ())}
    known = frozenset(text for texts in units.values() for text in texts)
    spellings = {to: frozenset(texts) for to, texts in units.items()}
    return Reference(items, known, frozenset(allowed), spellings, editions)


@cache
def item_names(form: str) -> dict[str, str]:
    """Printed name → item code of a direct-report form, of all its editions; longer names come first.

    An item whose meaning was not found is known by its code, as the platform prints it (`401项`).
    """
    rows = [row for row in _rows("codes/direct_report_items.csv", SEEDS) if row["form_code"] == form]
    names: dict[str, str] = {}
    for row in rows:
        code = row["item_code"]
        name = row["item_name_zh"] if row["measure"] != "unknown" else f"{code}项"
        for spelling in (name, name.replace(":", "："), name.replace("(", "（").replace(")", "）")):
            names[spelling] = code
    return dict(sorted(names.items(), key=lambda item: (-len(item[0]), item[0])))
