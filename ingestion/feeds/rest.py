"""A JSON endpoint read page by page: one sweep is one delivery.

Belongs here: the order of pages, loops, pages that change meanwhile, what is new. Does not belong here: HTTP
(asking) and the shape of a page (pages).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.asking import Answer, Asker, Patience
from ingestion.feeds.declaration import Paging, RecordCursor, RestFeed
from ingestion.feeds.delivery import Delivery, FeedState, Outbox
from ingestion.feeds.pages import (
    Page,
    at,
    earlier,
    merged,
    page_of,
    place_of,
    seconds,
    unexpected,
    without,
)
from ingestion.feeds.secrets import Secrets

_SWEEPS = 3
# clocks of two zones differ by less; what lies further ahead is a wrong date
_AHEAD = timedelta(days=1)


def read_rest(
    feed: RestFeed, state: FeedState, outbox: Outbox, secrets: Secrets, patience: Patience
) -> Iterator[Delivery]:
    """At most one delivery: what the endpoint holds that was not delivered before."""
    asker = Asker(feed, secrets, patience)
    pages = _steady_sweep(feed, state, asker)
    if feed.cursor is None:
        yield from _snapshot(feed, state, outbox, pages)
    else:
        yield from _increment(feed, feed.cursor, state, outbox, pages)


def _snapshot(feed: RestFeed, state: FeedState, outbox: Outbox, pages: list[Page]) -> Iterator[Delivery]:
    """Everything under one name: what it says today replaces what it said before."""
    n_records = sum(len(page.records) for page in pages)
    if n_records == 0:
        raise Refusal(
            "feed_empty",
            Message(
                "接口没有返回任何记录; 保留上次的内容",
                "it answered without a single record; what it said last stays",
            ),
            Message("请与接口方核对", "ask who runs it"),
        )
    body = merged(pages, feed)
    content = hashlib.sha256(body).hexdigest()
    if content == state.content_sha256:
        return
    with outbox.stage("all.json") as file:
        file.write(body)
    after = state.model_copy(update={"number": state.number + 1, "content_sha256": content})
    yield Delivery([file.staged], after, n_records)


def _increment(
    feed: RestFeed, cursor: RecordCursor, state: FeedState, outbox: Outbox, pages: list[Page]
) -> Iterator[Delivery]:
    """The records that were not delivered before, page by page, and the cursor moved to the newest of them."""
    lowest = Decimal(state.position) - cursor.overlap if state.position is not None else None
    now = seconds(datetime.now(UTC) + _AHEAD) if cursor.kind == "datetime" else None
    reached, reached_text = (
        (Decimal(state.position), state.cursor) if state.position else (None, state.cursor)
    )
    number, files, n_records = state.number + 1, [], 0
    kept: dict[str, str | None] = dict(state.seen)
    turns: Counter[str] = Counter()
    for ordinal, page in enumerate(pages, 1):
        fresh = []
        for record, digest in zip(page.records, page.digests, strict=True):
            place = place_of(record, cursor)
            if place is not None and lowest is not None and place[0] < lowest:
                raise _ignores_cursor(cursor)
            # the same record twice in one sweep is two records, as it would be in a file
            turns[digest] += 1
            key = digest if turns[digest] == 1 else f"{digest}.{turns[digest]}"
            if key not in state.seen:
                fresh.append(record)
            kept[key] = str(place[0]) if place else None
            if place and (now is None or place[0] <= now) and (reached is None or place[0] > reached):
                reached, reached_text = place
        if fresh:
            with outbox.stage(f"{number:06d}-{ordinal:04d}.json") as file:
                file.write(without(page, feed, fresh))
            files.append(file.staged)
            n_records += len(fresh)
    if reached is None and n_records:
        raise unexpected("–", f"{cursor.field}")
    if not files:
        return
    edge = reached - cursor.overlap if reached is not None else None
    after = state.model_copy(
        update={
            "number": number,
            "cursor": reached_text,
            "position": str(reached) if reached is not None else None,
            "seen": {
                key: place
                for key, place in kept.items()
                if place is None or edge is None or Decimal(place) >= edge
            },
        }
    )
    yield Delivery(files, after, n_records)


def _ignores_cursor(cursor: RecordCursor) -> Refusal:
    return Refusal(
        "feed_ignores_cursor",
        Message(
            f"接口返回了早于 {cursor.parameter} 的记录",
            f"it answered with records older than {cursor.parameter} asked for",
        ),
        Message(
            "请核对 cursor.parameter; 接口按天或按小时取整时, 把 overlap 调到同样长",
            "look at cursor.parameter; where it rounds to days or hours make overlap as long",
        ),
    )


def _steady_sweep(feed: RestFeed, state: FeedState, asker: Asker) -> list[Page]:
    """All pages of one moment: a sweep under which the pages moved is thrown away and made again."""
    for _ in range(_SWEEPS):
        pages = _sweep(feed, state, asker)
        if pages is not None:
            return pages
    raise Refusal(
        "feed_changes_while_read",
        Message("分页读取期间内容一直在变", "its pages keep changing while they are read"),
        Message(
            "请在接口空闲时读取, 或按固定顺序排序; 声明 total 可以核对条数",
            "read it when it is quiet, or have it sorted in a fixed order; with total declared the number of records is checked",
        ),
    )


def _sweep(feed: RestFeed, state: FeedState, asker: Asker) -> list[Page] | None:
    """The pages in their order; None when they cannot all be of one moment."""
    first_url = _first_url(feed, state)
    paging = feed.paging
    if paging is None:
        return [_ask(asker, first_url, feed)]
    pages: list[Page] = []
    asked, url = {first_url}, first_url
    sets: set[tuple[str, ...]] = set()
    totals = set()
    while True:
        page = _ask(asker, url, feed)
        if paging.total is not None:
            totals.add(_total(page, paging))
        if page.records:
            digests = tuple(page.digests)
            if digests in sets:
                raise _loops()
            sets.add(digests)
            pages.append(page)
        following = _next_url(feed, paging, first_url, url, page, pages, totals)
        if following is None:
            break
        if following in asked:
            raise _loops()
        if len(asked) >= paging.most:
            raise _loops()
        asked.add(following)
        url = following
    return _if_steady(feed, paging, asker, first_url, pages, totals)


def _if_steady(
    feed: RestFeed, paging: Paging, asker: Asker, first_url: str, pages: list[Page], totals: set[int]
) -> list[Page] | None:
    n_records = sum(len(page.records) for page in pages)
    if paging.total is not None and totals != {n_records}:
        return None
    if len(pages) < 2:
        return pages
    if paging.total is None:
        on_pages = Counter(digest for page in pages for digest in set(page.digests))
        if max(on_pages.values()) > 1:
            return None
    if paging.kind in ("page", "offset") and _ask(asker, first_url, feed).digests != pages[0].digests:
        return None
    return pages


def _ask(asker: Asker, url: str, feed: RestFeed) -> Page:
    def read(answer: Answer) -> Page:
        return page_of(answer.body, answer.link_next, feed)

    return asker.get(url, read)


def _loops() -> Refusal:
    return Refusal(
        "feed_loops",
        Message(
            "分页没有尽头: 同一页再次出现, 或页数超过上限",
            "paging has no end: a page came back, or there are more pages than allowed",
        ),
        Message(
            "请核对 paging.parameter; 接口在末页之后重复末页时, 请声明 total",
            "look at paging.parameter; where it repeats the last page for ever, declare total",
        ),
    )


def _total(page: Page, paging: Paging) -> int:
    found = at(page.document, paging.total or "")
    if found is None or not str(found).isdigit():
        raise unexpected(f"{paging.total} = {found}", f"{paging.total} = 0")
    return int(str(found))


def _first_url(feed: RestFeed, state: FeedState) -> str:
    extra = dict(feed.query)
    if feed.cursor is not None and state.cursor is not None:
        extra[feed.cursor.parameter] = earlier(state.cursor, feed.cursor)
    if feed.paging is not None:
        extra |= _page_parameters(feed.paging, 0, 0)
    return _with(feed.address, extra)


def _page_parameters(paging: Paging, n_pages: int, n_records: int) -> dict[str, str]:
    found = {}
    if paging.size_parameter is not None:
        found[paging.size_parameter] = str(paging.size)
    if paging.kind == "page":
        found[paging.parameter or ""] = str((1 if paging.first is None else paging.first) + n_pages)
    if paging.kind == "offset":
        found[paging.parameter or ""] = str((paging.first or 0) + n_records)
    return found


def _next_url(
    feed: RestFeed, paging: Paging, first_url: str, url: str, page: Page, pages: list[Page], totals: set[int]
) -> str | None:
    if paging.kind in ("page", "offset"):
        n_records = sum(len(item.records) for item in pages)
        # a short page is no end: servers cap the size they are asked for
        if not page.records or (paging.total is not None and n_records >= max(totals)):
            return None
        return _with(first_url, _page_parameters(paging, len(pages), n_records))
    if paging.kind == "link":
        return _same_place(feed, urljoin(url, page.link_next)) if page.link_next else None
    found = at(page.document, paging.next or "")
    if found is None or str(found) in ("", "False", "false"):
        return None
    if paging.parameter is not None:
        return _with(first_url, {paging.parameter: str(found)})
    return _same_place(feed, urljoin(url, str(found)))


def _same_place(feed: RestFeed, url: str) -> str:
    """A next page on another host would be shown our token: refused."""
    ours, theirs = urlsplit(feed.address), urlsplit(url)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        raise Refusal(
            "feed_leads_elsewhere",
            Message("下一页在另一台服务器上", "the next page is on another server"),
            Message("凭据不会发往别处; 请与接口方核对", "credentials are sent nowhere else; ask who runs it"),
        )
    return url


def _with(url: str, extra: dict[str, str]) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in extra]
    return urlunsplit(parts._replace(query=urlencode([*kept, *extra.items()])))
