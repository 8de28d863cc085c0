"""One fetch of a home's feeds: each for itself, bounded in time, and none able to stop another or the night.

Belongs here: the order of things, tries, how a run ended and where that is kept. Does not belong here: how a kind
is read. Kinds are imported when a feed of theirs is declared.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ingestion.contracts.home import Home
from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.declaration import DatabaseFeed, Feed, FolderFeed, RestFeed, load_feeds
from ingestion.feeds.delivery import Delivery, FeedState, Outbox, write_whole
from ingestion.feeds.secrets import Secrets

FIRST_WAIT_S = 1.0
GRACE_S = 5.0
# the endpoint's own requests are tried again one by one; the other kinds connect anew and go on where they were
_PASSING = {"feed_unreachable", "feed_silent", "feed_broke_off"}

Deliveries = Generator[Delivery, None, None]


class Unread(BaseModel):
    """A file of a folder that was seen and left alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    reason_zh: str
    reason_en: str


class FeedRun(BaseModel):
    """How the last run of a feed ended. `answered_on` is the night on which it last answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feed_id: str
    source: str
    kind: str
    outcome: Literal["answered", "failed"]
    answered_on: date | None
    reason_code: str | None = None
    reason_zh: str | None = None
    reason_en: str | None = None
    mend_zh: str | None = None
    mend_en: str | None = None
    n_files: int = 0
    n_records: int = 0
    unread: list[Unread] = []

    def facts(self) -> dict[str, object]:
        """What a release may say of it: the same for every run that ended the same way."""
        kept = self.model_dump(mode="json", exclude={"n_files", "n_records"})
        return kept | {"answered_on": kept["answered_on"] if self.outcome == "failed" else None}


RAW_COLUMNS = """feed_id VARCHAR, source VARCHAR, kind VARCHAR, outcome VARCHAR, path VARCHAR, answered_on DATE,
    reason_code VARCHAR, reason_zh VARCHAR, reason_en VARCHAR, mend_zh VARCHAR, mend_en VARCHAR"""


def raw_rows(runs: list[FeedRun]) -> list[tuple[object, ...]]:
    """Rows of `raw.feed_runs`: one per feed, and one per file that a feed saw and left alone."""
    rows: list[tuple[object, ...]] = []
    for run in runs:
        feed = (run.feed_id, run.source, run.kind)
        texts = (run.reason_code, run.reason_zh, run.reason_en, run.mend_zh, run.mend_en)
        rows.append((*feed, run.outcome, None, run.facts()["answered_on"], *texts))
        rows += [
            (
                *feed,
                "left_alone",
                item.path,
                None,
                "file_left_alone",
                item.reason_zh,
                item.reason_en,
                None,
                None,
            )
            for item in run.unread
        ]
    return rows


def fetch(
    home: Home, as_of: date, only: str | None = None, heard: Callable[[FeedRun], None] | None = None
) -> list[FeedRun]:
    """Fetch every feed, or one, and keep how it ended. The caller holds the home.

    Raises Refusal for a wrong declaration or an unknown feed, never for what a feed does.
    """
    feeds = load_feeds(home.feed_declarations)
    if only is not None and only not in {feed.id for feed in feeds}:
        raise Refusal(
            "no_such_feed",
            Message(f"feeds.yml 中没有 {only}", f"feeds.yml has no feed {only}"),
            Message(
                f"已声明: {', '.join(feed.id for feed in feeds) or '无'}",
                f"declared: {', '.join(feed.id for feed in feeds) or 'none'}",
            ),
        )
    found = []
    for feed in feeds:
        if only in (None, feed.id):
            run = _run(home, feed, as_of)
            found.append(run)
            if heard is not None:
                heard(run)
    return found


def last_runs(home: Home) -> list[FeedRun]:
    """How each declared feed's last run ended; one that never ran is not among them."""
    found = []
    for feed in load_feeds(home.feed_declarations):
        run = _last_run(home, feed)
        if run is not None:
            found.append(run)
    return found


def _last_run(home: Home, feed: Feed) -> FeedRun | None:
    path = home.feeds / feed.id / "run.json"
    try:
        return FeedRun.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _run(home: Home, feed: Feed, as_of: date) -> FeedRun:
    last = _last_run(home, feed)
    secrets, unread = Secrets(), list[Unread]()
    n_files = n_records = 0
    refusal: Refusal | None = None
    try:
        outbox = Outbox(home, feed)
        for delivery in _deliveries(home, feed, outbox, secrets, unread):
            n_files += len(delivery.files)
            n_records += delivery.n_records
    except Refusal as found:
        refusal = found
    except Exception as error:  # a feed must never end the night: what nobody foresaw is a refusal too
        refusal = _unforeseen(error, secrets)
    answered_on = as_of if refusal is None else (last.answered_on if last else None)
    run = FeedRun(
        feed_id=feed.id,
        source=feed.source,
        kind=feed.kind,
        outcome="failed" if refusal else "answered",
        answered_on=answered_on,
        n_files=n_files,
        n_records=n_records,
        unread=unread,
        **(_texts(refusal, secrets) if refusal else {}),
    )
    try:
        (home.feeds / feed.id).mkdir(parents=True, exist_ok=True)
        write_whole(home.feeds / feed.id / "run.json", run.model_dump_json(indent=1).encode())
    except OSError as error:
        raise Refusal(
            "home_not_writable",
            Message(
                f"无法写入 {home.feeds}: {error.strerror}", f"cannot write {home.feeds}: {error.strerror}"
            ),
            Message("请检查磁盘与权限", "look at the disk and its rights"),
        ) from error
    return run


def _texts(refusal: Refusal, secrets: Secrets) -> dict[str, str]:
    return {
        "reason_code": refusal.code,
        "reason_zh": secrets.hidden(refusal.reason.zh),
        "reason_en": secrets.hidden(refusal.reason.en),
        "mend_zh": secrets.hidden(refusal.mend.zh),
        "mend_en": secrets.hidden(refusal.mend.en),
    }


def _unforeseen(error: Exception, secrets: Secrets) -> Refusal:
    said = secrets.hidden(f"{type(error).__name__}: {error}")[:300]
    return Refusal(
        "feed_unforeseen",
        Message(f"读取出错 ({said})", f"it could not be read ({said})"),
        Message(
            "请核对 feeds.yml; 仍不行时交给维护者",
            "look at feeds.yml; if that does not help ask the maintainers",
        ),
    )


def _deliveries(
    home: Home, feed: Feed, outbox: Outbox, secrets: Secrets, unread: list[Unread]
) -> Iterator[Delivery]:
    """Deliveries that have landed. Reading happens in a thread of its own, so that nothing can hold the night."""
    until = time.monotonic() + feed.longest_s
    for turn in range(1, feed.tries + 1):
        state = outbox.open()
        unread.clear()
        try:
            # readers watch the time themselves; the limit here is for one that hangs
            reading = _read(home, feed, state, outbox, secrets, unread)
            for delivery in _bounded(reading, until + GRACE_S):
                outbox.deliver(delivery)
                yield delivery
            return
        except Refusal as refusal:
            wait_s = FIRST_WAIT_S * 2 ** (turn - 1)
            is_last = turn == feed.tries or time.monotonic() + wait_s > until
            if isinstance(feed, RestFeed) or refusal.code not in _PASSING or is_last:
                raise
            time.sleep(wait_s)


def _read(
    home: Home, feed: Feed, state: FeedState, outbox: Outbox, secrets: Secrets, unread: list[Unread]
) -> Deliveries:
    from ingestion.feeds.asking import Patience

    patience = Patience(feed.longest_s)
    if isinstance(feed, RestFeed):
        from ingestion.feeds.rest import read_rest

        if feed.ca_file is not None:
            feed = feed.model_copy(update={"ca_file": home.root / feed.ca_file})
        yield from read_rest(feed, state, outbox, secrets, patience)
        return
    if isinstance(feed, DatabaseFeed):
        from ingestion.feeds.database import read_database

        yield from read_database(feed, state, outbox, secrets)
        return
    from ingestion.feeds.folder import FolderShelf, LeftAlone, Shelf, read_files

    left: list[LeftAlone] = []
    with ExitStack() as stack:
        shelf: Shelf
        if isinstance(feed, FolderFeed):
            shelf = FolderShelf(home.root / feed.address)
        else:
            from ingestion.feeds.sftp import sftp_shelf

            shelf = stack.enter_context(sftp_shelf(feed, home.root, secrets))
        yield from read_files(feed, state, outbox, shelf, patience, left)
    unread += [Unread(path=item.path, reason_zh=item.reason.zh, reason_en=item.reason.en) for item in left]


def _bounded(reading: Deliveries, until: float) -> Iterator[Delivery]:
    """What `reading` yields, as long as it does so in time; a reader that hangs is left behind.

    One at a time: the reader goes on only when what it gave has landed, so its state is never ahead of the disk.
    """
    given: queue.Queue[Delivery | BaseException | None] = queue.Queue()
    go_on, is_over = threading.Semaphore(0), threading.Event()

    def work() -> None:
        try:
            with closing(reading):
                for item in reading:
                    given.put(item)
                    go_on.acquire()
                    if is_over.is_set():
                        return
            given.put(None)
        except BaseException as error:
            given.put(error)

    threading.Thread(target=work, daemon=True, name="feed").start()
    try:
        while True:
            item = given.get(timeout=max(0.0, until - time.monotonic()))
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            go_on.release()
    except queue.Empty:
        from ingestion.feeds.asking import too_long

        raise too_long() from None
    finally:
        is_over.set()
        go_on.release()
