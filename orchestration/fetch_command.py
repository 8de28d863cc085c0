"""`tancang fetch`: ask the feeds now; and the same at the start of a night.

Belongs here: words and exit codes. Does not belong here: asking (ingestion.feeds).
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.run import FeedRun, fetch
from orchestration import night as nights
from orchestration.report import Teller
from orchestration.settings import Settings


def run(settings: Settings, feed: str | None, *, as_json: bool) -> int:
    """Fetch all feeds or one. Returns the exit code: 0 when each answered, else 1."""
    home = settings.paths
    if not home.feed_declarations.is_file():
        raise Refusal(
            "no_feeds",
            Message(f"没有 {home.feed_declarations}", f"there is no {home.feed_declarations}"),
            Message("请按 docs/feeds.md 声明接入", "declare feeds as docs/feeds.md describes"),
        )
    teller = Teller(settings.lang, to_stderr=as_json)
    nights.hold(home)
    try:
        runs = fetch_feeds(settings, teller, feed)
    finally:
        nights.release_hold(home)
    if as_json:
        print(json.dumps([facts(item) for item in runs], ensure_ascii=False, indent=1))
    return 1 if any(item.outcome == "failed" for item in runs) else 0


def fetch_feeds(settings: Settings, teller: Teller, feed: str | None = None) -> list[FeedRun]:
    """Ask the feeds and say how each ended, while the home is held."""
    return fetch(settings.paths, settings.as_of or date.today(), feed, lambda item: tell(teller, item))


def facts(item: FeedRun) -> dict[str, Any]:
    return item.model_dump(mode="json")


def tell(teller: Teller, item: FeedRun) -> None:
    """One line for a feed that answered, its reason and mend for one that did not."""
    if item.outcome == "answered":
        teller.say(
            f"  接入 {item.feed_id}: 新文件 {item.n_files}, 记录 {item.n_records} ({item.answered_on})",
            f"feed {item.feed_id}: {item.n_files} new files, {item.n_records} records ({item.answered_on})",
        )
    else:
        teller.say(
            f"  ✗ 接入 {item.feed_id}: {item.reason_zh}; {item.mend_zh} (上次应答: {item.answered_on or '无'})",
            f"feed {item.feed_id}: {item.reason_en}; {item.mend_en} (last answered: {item.answered_on or 'never'})",
            "yellow",
        )
    for left in item.unread:
        teller.say(f"      未取 {left.path}: {left.reason_zh}", f"left alone {left.path}: {left.reason_en}")
