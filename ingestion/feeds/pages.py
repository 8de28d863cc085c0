"""One page of an endpoint: its document, its records, and writing it again without the ones delivered before.

Belongs here: the shape of an answer. Does not belong here: asking for it (asking), the order of pages (rest).
Numbers are kept as the text that was sent: 12.50 stays 12.50.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.declaration import RecordCursor, RestFeed
from ingestion.readers.documents import WHOLE, read_json


class Number(str):
    """The digits of a JSON number."""

    __slots__ = ()


@dataclass(frozen=True)
class Page:
    """`body` as it came; `records` is the list inside `document`."""

    body: bytes
    document: Any
    records: list[Any]
    link_next: str | None

    @property
    def digests(self) -> list[str]:
        return [record_digest(record) for record in self.records]


def page_of(body: bytes, link_next: str | None, feed: RestFeed) -> Page:
    """Raises Refusal `broken_json`, or `feed_unexpected_answer` with what the answer holds instead."""
    document = read_json(body, number=Number)
    for path, wanted in feed.expect.items():
        found = at(document, path)
        if found is None or str(found) != wanted:
            raise unexpected(f"{path} = {_shown(found)}", f"{path} = {wanted}")
    records = at(document, feed.records)
    if not isinstance(records, list):
        keys = ", ".join(sorted(document)[:12]) if isinstance(document, dict) else type(document).__name__
        raise unexpected(keys or "{}", f"{feed.records}: […]")
    return Page(body, document, records, link_next)


def unexpected(found: str, expected: str) -> Refusal:
    return Refusal(
        "feed_unexpected_answer",
        Message(
            f"应答中是 “{found}”, 应有 “{expected}”", f"the answer holds “{found}”, expected “{expected}”"
        ),
        Message(
            "请核对 feeds.yml 的 records, expect, paging 与 cursor",
            "look at records, expect, paging and cursor in feeds.yml",
        ),
    )


def _shown(value: Any) -> str:
    return "–" if value is None else json_text(value)[:60]


def at(document: Any, path: str) -> Any:
    """What stands at a dotted path, or None; `$` is the document itself."""
    if path == WHOLE:
        return document
    for key in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def json_text(value: Any) -> str:
    """JSON of a parsed document, numbers with the digits they came with."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{json_text(v)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(json_text(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def record_digest(record: Any) -> str:
    return hashlib.sha256(json_text(record).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def without(page: Page, feed: RestFeed, records: list[Any]) -> bytes:
    """The page with these records alone: byte for byte as it came when they are all of them."""
    if len(records) == len(page.records):
        return page.body
    return _replaced(page.document, _steps(feed), records)


def merged(pages: list[Page], feed: RestFeed) -> bytes:
    """All pages as one document: the first page's head and everybody's records."""
    if len(pages) == 1:
        return pages[0].body
    records = [record for page in pages for record in page.records]
    return _replaced(pages[0].document, _steps(feed), records)


def _steps(feed: RestFeed) -> list[str]:
    return [] if feed.records == WHOLE else feed.records.split(".")


def _replaced(document: Any, path: list[str], records: list[Any]) -> bytes:
    if not path:
        text = json_text(records)
    else:
        text = (
            "{"
            + ",".join(
                f"{json.dumps(key, ensure_ascii=False)}:"
                + (
                    _replaced(value, path[1:], records).decode("utf-8", "surrogatepass")
                    if key == path[0]
                    else json_text(value)
                )
                for key, value in document.items()
            )
            + "}"
        )
    return text.encode("utf-8", "surrogatepass")


def place_of(record: Any, cursor: RecordCursor) -> tuple[Decimal, str] | None:
    """Where a record stands on the cursor: a number to compare by, and its own text. None when it has none.

    Raises Refusal `feed_unexpected_answer` for a text that is no such number or moment.
    """
    found = at(record, cursor.field)
    if found is None or found == "":
        return None
    text = str(found)
    try:
        if cursor.kind == "number":
            value = Decimal(text)
            if not value.is_finite():
                raise ValueError(text)
            return value, text
        return seconds(_moment(text, cursor.format)), text
    except (ValueError, InvalidOperation):
        expected = cursor.format or ("2021-03-01T08:00:00" if cursor.kind == "datetime" else "0")
        raise unexpected(f"{cursor.field} = {text[:60]}", f"{cursor.field} = {expected}") from None


def _moment(text: str, form: str | None) -> datetime:
    found = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def seconds(moment: datetime) -> Decimal:
    """Exact seconds since 1970."""
    span = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(span.days * 86400 + span.seconds) + Decimal(span.microseconds).scaleb(-6)


def earlier(text: str, cursor: RecordCursor) -> str:
    """The text of the place `overlap` before this one, written as the sender writes it."""
    if cursor.overlap == 0:
        return text
    if cursor.kind == "number":
        return format(Decimal(text) - cursor.overlap, "f")
    found = datetime.strptime(text, cursor.format) if cursor.format else datetime.fromisoformat(text)
    moved = found - timedelta(seconds=cursor.overlap)
    if cursor.format:
        return moved.strftime(cursor.format)
    shown = moved.isoformat(sep="T" if "T" in text else " ")
    return shown.replace("+00:00", "Z") if text.endswith("Z") else shown
