"""What the figures of a release stand on: the method of accounting, and how many factors have no confirmed source.

Here belongs reading it for people. Which rows these are stands in table `factor_used`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exports.query import open_sandbox


@dataclass(frozen=True)
class Foundations:
    """One release. `status` and `evidence` are those of the method's own text."""

    document: str
    document_no: str
    status: str
    evidence: str
    n_factors_used: int
    n_factors_unconfirmed: int


def foundations(database: Path) -> Foundations:
    """What the one row of `release` says."""
    with open_sandbox(database) as con:
        rows = con.execute(
            "select method_document, method_document_no, method_status, method_evidence, n_factors_used, "
            "n_factors_unconfirmed from published.release"
        ).fetchall()
    return Foundations(*rows[0])
