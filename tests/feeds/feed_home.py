"""A home with feeds, as a test sees it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from ingestion.contracts.home import Home
from ingestion.feeds.run import FeedRun, fetch

AS_OF = date(2026, 11, 20)


class FeedHome:
    """A home whose feeds.yml a test writes and fetches."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        root.mkdir(parents=True, exist_ok=True)

    def declare(self, *feeds: dict[str, Any]) -> None:
        text = yaml.safe_dump(list(feeds), allow_unicode=True)
        self.home.feed_declarations.write_text(text, encoding="utf-8")

    def fetch(self, as_of: date = AS_OF) -> FeedRun:
        """Fetch the only feed."""
        (found,) = fetch(self.home, as_of)
        return found

    def fetch_all(self) -> dict[str, FeedRun]:
        return {item.feed_id: item for item in fetch(self.home, AS_OF)}

    @property
    def landed(self) -> dict[str, bytes]:
        """Every file in landing, hidden ones too, by its path."""
        root = self.home.landing
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    @property
    def all_bytes(self) -> bytes:
        return b"\n".join(path.read_bytes() for path in sorted(self.home.root.rglob("*")) if path.is_file())
