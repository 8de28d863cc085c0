"""The paths of one home folder. Pure: names only, nothing is opened or made here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """Everything under one data root; `landing` may lie elsewhere (a share, an example)."""

    root: Path
    landing_override: Path | None = None

    @property
    def landing(self) -> Path:
        return self.landing_override or self.root / "landing"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    def at_rest(self, target: str) -> Path:
        """Rows of a target of raw tables that rest outside the warehouse: `readings`, `values`."""
        return self.root / target

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def layouts(self) -> Path:
        return self.root / "layouts"

    @property
    def profiles(self) -> Path:
        return self.root / "profiles"

    @property
    def corrections(self) -> Path:
        return self.root / "corrections.yml"

    @property
    def codes(self) -> Path:
        return self.root / "codes.yml"

    @property
    def matches(self) -> Path:
        """Decisions on rows whose institution was not sure."""
        return self.root / "matches.yml"

    @property
    def precedence(self) -> Path:
        """Overrides of the profile's precedence of sources, one key at a time."""
        return self.root / "precedence.yml"

    @property
    def frozen(self) -> Path:
        """Years that are signed off."""
        return self.root / "frozen.yml"

    @property
    def restatements(self) -> Path:
        """What may move a frozen year after all."""
        return self.root / "restatements.yml"

    @property
    def factors(self) -> Path:
        """The home's own rows of the factor registry."""
        return self.root / "factors.csv"

    @property
    def waivers(self) -> Path:
        return self.root / "waivers.yml"

    @property
    def feed_declarations(self) -> Path:
        return self.root / "feeds.yml"

    @property
    def feeds(self) -> Path:
        """How far each feed has been read, and how its last run ended."""
        return self.root / "feeds"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def receipts(self) -> Path:
        """What the sender of each file is told about it: a page and a JSON document by file id."""
        return self.root / "receipts"

    @property
    def night(self) -> Path:
        """What the running or last night left to read: its plan, its verdict, its Data Docs."""
        return self.root / "night"

    @property
    def verdict(self) -> Path:
        return self.night / "verdict.json"

    @property
    def lock(self) -> Path:
        return self.root / "night.lock"

    @property
    def history(self) -> Path:
        return self.root / "nights.jsonl"
