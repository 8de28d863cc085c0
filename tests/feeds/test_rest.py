"""A JSON endpoint: pages, increments, and every way in which an endpoint lets one down."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from feed_home import FeedHome
from servers import Asked, Endpoint, Reply, paged

TOKEN = "tok-9f8e7d6c5b4a"


def records(first: int, last: int, day: int = 1) -> list[dict[str, Any]]:
    return [
        {"id": n, "value": "12.50", "updatedAt": f"2021-03-{day:02d}T00:00:{n:02d}"}
        for n in range(first, last + 1)
    ]


def declared(server: Endpoint, **more: Any) -> dict[str, Any]:
    return {
        "id": "platform",
        "source": "direct_report",
        "kind": "rest",
        "address": server.address,
        "records": "documents",
        "timeout_s": 10,
        "tries": 3,
        "longest_wait_s": 5,
        **more,
    }


PAGING = {"kind": "page", "parameter": "page", "total": "total"}
CURSOR = {"field": "updatedAt", "parameter": "since"}


def delivered(home: FeedHome) -> list[int]:
    """Ids of every record that stands in landing, as often as it stands there."""
    return sorted(record["id"] for data in home.landed.values() for record in json.loads(data)["documents"])


def test_pages_land_as_they_came_and_only_once(feed_home: FeedHome, server: Endpoint) -> None:
    held = records(1, 5)
    server.reply = paged(held, 2, reportCode="X")
    feed_home.declare(declared(server, paging=PAGING, cursor=CURSOR))
    run = feed_home.fetch()
    assert (run.outcome, run.n_files, run.n_records) == ("answered", 3, 5)
    assert list(feed_home.landed) == [f"direct_report/platform/000001-000{n}.json" for n in (1, 2, 3)]
    assert json.loads(feed_home.landed["direct_report/platform/000001-0001.json"]) == {
        "reportCode": "X", "total": 5, "documents": held[:2],
    }  # fmt: skip

    # the boundary record comes again because the endpoint answers "since" with >=; it is not landed again
    held += records(6, 7)
    server.asked.clear()
    run = feed_home.fetch()
    assert (run.n_files, run.n_records) == (2, 2)
    assert server.asked[0].query["since"] == "2021-03-01T00:00:05"
    assert delivered(feed_home) == [1, 2, 3, 4, 5, 6, 7]
    before = feed_home.landed
    assert feed_home.fetch().n_files == 0
    assert feed_home.landed == before


def test_digits_of_numbers_survive_a_page_that_is_written_again(
    feed_home: FeedHome, server: Endpoint
) -> None:
    one = '{"id": 1, "v": 12.50, "t": "2021-03-01 00:00:00"}'
    two = '{"id": 2, "v": 0.10, "big": 12345678901234567890.123456789, "e": 1E2, "t": "2021-03-01 00:00:00"}'
    answers = [
        f'{{"units": {{"v": "kWh"}}, "documents": [{one}]}}',
        f'{{"units": {{"v": "kWh"}}, "documents": [{one}, {two}]}}',
    ]
    server.reply = lambda asked: asked.say(answers[0])
    feed_home.declare(declared(server, cursor={"field": "t", "parameter": "since"}))
    feed_home.fetch()
    server.reply = lambda asked: asked.say(answers[1])
    feed_home.fetch()
    landed = list(feed_home.landed.values())
    assert landed[0].decode() == answers[0]
    assert landed[1].decode() == (
        '{"units":{"v":"kWh"},"documents":[{"id":2,"v":0.10,"big":12345678901234567890.123456789,"e":1E2,"t":"2021-03-01 00:00:00"}]}'
    )


def test_two_equal_records_are_two(feed_home: FeedHome, server: Endpoint) -> None:
    same = records(1, 1)[0]
    server.reply = paged([same, same], 10)
    feed_home.declare(declared(server, cursor=CURSOR))
    assert feed_home.fetch().n_records == 2
    assert feed_home.fetch().n_records == 0


def test_without_a_cursor_everything_lands_under_one_name(feed_home: FeedHome, server: Endpoint) -> None:
    held = records(1, 5)
    server.reply = paged(held, 2, reportCode="X")
    feed_home.declare(declared(server, paging=PAGING))
    assert feed_home.fetch().n_files == 1
    assert feed_home.fetch().n_files == 0
    held[0] = {**held[0], "value": "13"}
    del held[3:]
    assert feed_home.fetch().n_files == 1
    assert list(feed_home.landed) == ["direct_report/platform/all.json"]
    found = json.loads(feed_home.landed["direct_report/platform/all.json"])
    assert found["reportCode"] == "X"
    assert found["documents"] == held
    held.clear()
    run = feed_home.fetch()
    assert (run.outcome, run.reason_code) == ("failed", "feed_empty")
    assert len(delivered(feed_home)) == 3


def test_offset_next_and_link_lead_to_every_record(feed_home: FeedHome, server: Endpoint) -> None:
    held = records(1, 5)

    def by_offset(asked: Asked) -> None:
        start = int(asked.query["offset"])
        # a server that caps the size it was asked for
        asked.say({"documents": held[start : start + min(2, int(asked.query["limit"]))]})

    def by_next(asked: Asked) -> None:
        start = int(asked.query.get("at", 0))
        following = {"next": f"/returns?at={start + 2}"} if start + 2 < 5 else {"next": None}
        asked.say({"documents": held[start : start + 2], "meta": following})

    def by_token(asked: Asked) -> None:
        start = int(asked.query.get("after", 0))
        asked.say(
            {"documents": held[start : start + 2], "meta": {"next": start + 2 if start + 2 < 5 else ""}}
        )

    def by_link(asked: Asked) -> None:
        start = int(asked.query.get("at", 0))
        link = f'<{server.address}?at={start + 2},0>; rel="next", <{server.address}>; rel=first'
        asked.query["at"] = asked.query.get("at", "0").split(",")[0]
        asked.say({"documents": held[start : start + 2]}, **({"Link": link} if start + 2 < 5 else {}))

    def by_link_checked(asked: Asked) -> None:
        asked.query["at"] = asked.query.get("at", "0").split(",")[0]
        by_link(asked)

    ways: list[tuple[dict[str, Any], Reply]] = [
        ({"kind": "offset", "parameter": "offset", "size_parameter": "limit", "size": 100}, by_offset),
        ({"kind": "next", "next": "meta.next"}, by_next),
        ({"kind": "next", "next": "meta.next", "parameter": "after"}, by_token),
        ({"kind": "link"}, by_link_checked),
    ]
    for number, (paging, reply) in enumerate(ways):
        server.reply = reply
        feed_home.declare(declared(server, id=f"way_{number}", paging=paging))
        assert feed_home.fetch().n_records == 5, paging
        assert len(json.loads(feed_home.landed[f"direct_report/way_{number}/all.json"])["documents"]) == 5


def test_a_server_that_fails_and_asks_to_wait_is_asked_again(feed_home: FeedHome, server: Endpoint) -> None:
    turns = iter([
        lambda asked: asked.say("", 500),
        lambda asked: asked.say("", 429, Retry_After="1"),
        paged(records(1, 2), 10),
    ])  # fmt: skip
    server.reply = lambda asked: next(turns)(asked)
    feed_home.declare(declared(server))
    began = time.monotonic()
    assert feed_home.fetch().n_records == 2
    assert time.monotonic() - began >= 1
    assert len(server.asked) == 3


def cut(asked: Asked) -> None:
    asked.say({"documents": records(1, 9)}, cut=20)


def cut_without_length(asked: Asked) -> None:
    body = json.dumps({"documents": records(1, 9)}).encode()
    asked.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body[:-20])
    asked.close_connection = True


def stall(asked: Asked) -> None:
    asked.send_response(200)
    asked.send_header("Content-Length", "100")
    asked.end_headers()
    asked.wfile.write(b'{"documents')
    asked.wfile.flush()
    time.sleep(2)


def login(asked: Asked) -> None:
    asked.say("<!DOCTYPE html><title>登录</title>", content_type="text/html")


def login_called_json(asked: Asked) -> None:
    asked.say("\n <html>login</html>")


@pytest.mark.parametrize(
    ("reply", "code", "n_asked"),
    [
        (lambda asked: asked.say("", 503), "feed_failing", 3),
        (lambda asked: asked.say("", 429, Retry_After="86400"), "feed_failing", 1),
        (cut, "feed_broke_off", 3),
        (cut_without_length, "broken_json", 3),
        (stall, "feed_silent", 3),
        (lambda asked: asked.connection.shutdown(socket.SHUT_RDWR), "feed_broke_off", 3),
        (login, "feed_login_page", 1),
        (login_called_json, "feed_login_page", 1),
        (lambda asked: asked.say("", 302, Location="http://127.0.0.1:1/login"), "feed_leads_elsewhere", 1),
        (lambda asked: asked.say({"message": "no"}, 401), "feed_not_admitted", 1),
        (lambda asked: asked.say("", 404), "feed_refused_request", 1),
        (lambda asked: asked.say({"code": 500, "documents": []}), "feed_unexpected_answer", 1),
        (lambda asked: asked.say({"code": "0", "data": {}}), "feed_unexpected_answer", 1),
        (lambda asked: asked.say("[1, 2]"), "feed_unexpected_answer", 1),
        (lambda asked: asked.say('{"code": "0", "code": "1"}'), "key_twice", 1),
        (lambda asked: asked.say({"code": "0", "documents": ["x" * (1 << 21)]}), "feed_too_large", 1),
        (lambda asked: asked.say("[" * 100_000), "broken_json", 3),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_named_and_lands_nothing(
    feed_home: FeedHome, server: Endpoint, reply: Reply, code: str, n_asked: int
) -> None:
    server.reply = reply
    more = {"timeout_s": 0.5} if code == "feed_silent" else {}
    feed_home.declare(declared(server, expect={"code": "0"}, largest_mb=1, **more))
    run = feed_home.fetch()
    assert (run.outcome, run.reason_code, run.answered_on) == ("failed", code, None)
    assert len(server.asked) == n_asked
    assert feed_home.landed == {}
    for text in (run.reason_zh, run.reason_en, run.mend_zh, run.mend_en):
        assert text


def test_nobody_listens(feed_home: FeedHome, server: Endpoint) -> None:
    feed_home.declare(declared(server, address="http://127.0.0.1:1/returns"))
    assert feed_home.fetch().reason_code == "feed_unreachable"


def test_a_drip_ends_at_the_feeds_own_limit(feed_home: FeedHome, server: Endpoint) -> None:
    def drip(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Length", "1000")
        asked.end_headers()
        for _ in range(40):
            asked.wfile.write(b" ")
            asked.wfile.flush()
            time.sleep(0.1)

    server.reply = drip
    feed_home.declare(declared(server, longest_s=1.5))
    assert feed_home.fetch().reason_code == "feed_too_long"
    assert len(server.asked) == 1


def test_a_page_that_never_changes_is_a_loop_and_not_the_end(feed_home: FeedHome, server: Endpoint) -> None:
    server.reply = lambda asked: asked.say({"documents": records(1, 2), "asked": asked.query["page"]})
    feed_home.declare(declared(server, paging={"kind": "page", "parameter": "page"}))
    assert feed_home.fetch().reason_code == "feed_loops"
    # the same server with a total: the platform repeats its last page, and the total says that it was the last
    server.reply = lambda asked: asked.say({"documents": records(1, 2), "total": 2})
    feed_home.declare(declared(server, paging=PAGING))
    assert feed_home.fetch().n_records == 2


def test_paging_that_leads_back_or_on_for_ever_ends(feed_home: FeedHome, server: Endpoint) -> None:
    server.reply = lambda asked: asked.say(
        {
            "documents": records(int(asked.query.get("at", 1)), 60),
            "next": f"?at={int(asked.query.get('at', 1)) % 3 + 1}",
        }
    )
    feed_home.declare(declared(server, paging={"kind": "next", "next": "next"}))
    assert feed_home.fetch().reason_code == "feed_loops"
    numbers = iter(range(10**6))
    server.reply = lambda asked: asked.say(
        {"documents": [{"id": next(numbers)}], "next": f"?at={next(numbers)}"}
    )
    feed_home.declare(declared(server, paging={"kind": "next", "next": "next", "most": 20}))
    server.asked.clear()
    assert feed_home.fetch().reason_code == "feed_loops"
    assert len(server.asked) == 20


def test_a_next_page_elsewhere_is_not_shown_the_token(
    feed_home: FeedHome, server: Endpoint, secret: Callable[[str, str], str]
) -> None:
    secret("PLATFORM_TOKEN", TOKEN)
    server.reply = lambda asked: asked.say(
        {"documents": records(1, 1), "next": f"http://localhost:{server.server_port}/x"}
    )
    feed_home.declare(
        declared(server, token={"env": "PLATFORM_TOKEN"}, paging={"kind": "next", "next": "next"})
    )
    assert feed_home.fetch().reason_code == "feed_leads_elsewhere"
    assert len(server.asked) == 1


@pytest.mark.parametrize("change", ["insert", "delete", "edit"])
@pytest.mark.parametrize("with_total", [True, False])
def test_pages_that_move_while_they_are_read_are_read_again(
    feed_home: FeedHome, server: Endpoint, change: str, with_total: bool
) -> None:
    held = records(1, 6)
    is_changed = False

    def reply(asked: Asked) -> None:
        nonlocal is_changed
        if asked.query["page"] == "2" and not is_changed:
            is_changed = True
            if change == "insert":
                held.insert(0, records(9, 9)[0])
            elif change == "delete":
                del held[0]
            else:
                held[0] = {**held[0], "value": "99"}
        paged(held, 2)(asked)

    server.reply = reply
    paging = PAGING if with_total else {"kind": "page", "parameter": "page"}
    feed_home.declare(declared(server, paging=paging))
    assert feed_home.fetch().outcome == "answered"
    assert delivered(feed_home) == sorted(record["id"] for record in held)


def test_pages_that_never_stand_still_are_refused(feed_home: FeedHome, server: Endpoint) -> None:
    numbers = iter(range(10**6))
    held = records(1, 6)

    def reply(asked: Asked) -> None:
        held.insert(0, {"id": 100 + next(numbers)})
        paged(held, 2)(asked)

    server.reply = reply
    feed_home.declare(declared(server, paging={**PAGING, "most": 50}))
    assert feed_home.fetch().reason_code in ("feed_changes_while_read", "feed_loops")
    assert feed_home.landed == {}


def test_a_server_that_ignores_the_cursor_is_named(feed_home: FeedHome, server: Endpoint) -> None:
    held = records(1, 3)
    server.reply = lambda asked: asked.say({"documents": held})
    feed_home.declare(declared(server, cursor=CURSOR))
    assert feed_home.fetch().n_records == 3
    run = feed_home.fetch()
    assert run.reason_code == "feed_ignores_cursor"
    assert delivered(feed_home) == [1, 2, 3]
    # a server that rounds to days, and an overlap as long
    feed_home.declare(declared(server, cursor={**CURSOR, "overlap": 86400}))
    run = feed_home.fetch()
    assert run.reason_code == "feed_changed", "another cursor is another feed"


def test_a_record_of_the_far_future_does_not_carry_the_cursor_away(
    feed_home: FeedHome, server: Endpoint
) -> None:
    held = [*records(1, 2), {"id": 50, "updatedAt": "9999-12-31T00:00:00"}]
    server.reply = paged(held, 10)
    feed_home.declare(declared(server, cursor=CURSOR))
    assert feed_home.fetch().n_records == 3
    held += records(3, 4)
    assert feed_home.fetch().n_records == 2
    assert feed_home.fetch().n_records == 0
    assert delivered(feed_home) == [1, 2, 3, 4, 50]


def test_overlap_finds_what_was_written_late(feed_home: FeedHome, server: Endpoint) -> None:
    held = [{"id": n, "updatedAt": f"2021/03/01 00:{n:02d}"} for n in (10, 20)]
    server.reply = paged(held, 10)
    cursor = {**CURSOR, "format": "%Y/%m/%d %H:%M", "overlap": 900}
    feed_home.declare(declared(server, cursor=cursor))
    assert feed_home.fetch().n_records == 2
    held.append({"id": 15, "updatedAt": "2021/03/01 00:15"})
    assert feed_home.fetch().n_records == 1
    assert server.asked[-1].query["since"] == "2021/03/01 00:05"
    assert delivered(feed_home) == [10, 15, 20]


def test_the_token_goes_where_it_belongs_and_nowhere_else(
    feed_home: FeedHome, server: Endpoint, secret: Callable[[str, str], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret("PLATFORM_TOKEN", TOKEN)

    def reply(asked: Asked) -> None:
        if asked.headers["X-Token"] != TOKEN and asked.query.get("key") != TOKEN:
            asked.say({"error": f"bad token {asked.headers['X-Token']}"}, 401)
            return
        # a platform that repeats the token in what it answers
        asked.say({"documents": records(1, 2), "self": f"{server.address}?key={TOKEN}&page=1"})

    server.reply = reply
    header = {"env": "PLATFORM_TOKEN", "header": "X-Token", "prefix": ""}
    feed_home.declare(declared(server, token=header))
    assert feed_home.fetch().n_records == 2
    feed_home.declare(
        declared(server, id="by_parameter", token={"env": "PLATFORM_TOKEN", "parameter": "key"})
    )
    assert feed_home.fetch().n_records == 2
    secret("PLATFORM_TOKEN", "wrong-" + TOKEN[::-1])
    feed_home.declare(declared(server, token=header))
    run = feed_home.fetch()
    assert run.reason_code == "feed_not_admitted"
    assert run.answered_on is not None, "it answered before"
    for word in (TOKEN, TOKEN[::-1]):
        assert word.encode() not in feed_home.all_bytes
        assert word not in caplog.text


def test_a_missing_variable_is_named(feed_home: FeedHome, server: Endpoint) -> None:
    feed_home.declare(declared(server, token={"env": "PLATFORM_TOKEN"}))
    run = feed_home.fetch()
    assert run.reason_code == "secret_missing"
    assert "PLATFORM_TOKEN" in (run.reason_en or "")
    assert server.asked == []


def test_a_dead_feed_does_not_touch_the_others(feed_home: FeedHome, server: Endpoint) -> None:
    server.reply = paged(records(1, 2), 10)
    dead = declared(server, id="a_dead_one", address="http://127.0.0.1:1/")
    feed_home.declare(dead, declared(server))
    found = feed_home.fetch_all()
    assert found["a_dead_one"].outcome == "failed"
    assert found["platform"].n_records == 2
    assert threading.active_count() < 20


def test_an_answer_that_is_the_list_itself_is_read(feed_home: FeedHome, server: Endpoint) -> None:
    held = records(1, 5)

    def reply(asked: Asked) -> None:
        since = asked.query.get("since", "")
        start = (int(asked.query["page"]) - 1) * 2
        asked.say([item for item in held if item["updatedAt"] >= since][start : start + 2])

    server.reply = reply
    paging = {"kind": "page", "parameter": "page"}
    feed_home.declare(
        declared(server, records="$", paging=paging, cursor=CURSOR),
        declared(server, id="whole", records="$", paging=paging),
    )
    runs = feed_home.fetch_all()
    assert [(run.outcome, run.n_records) for run in runs.values()] == [("answered", 5), ("answered", 5)]
    assert json.loads(feed_home.landed["direct_report/whole/all.json"]) == held
    held += records(6, 6)
    assert feed_home.fetch_all()["platform"].n_records == 1
    pages = [json.loads(data) for path, data in feed_home.landed.items() if "/platform/" in path]
    assert sorted(item["id"] for page in pages for item in page) == [1, 2, 3, 4, 5, 6]
    server.reply = lambda asked: asked.say({"documents": held})
    refused = feed_home.fetch_all()
    assert {run.reason_code for run in refused.values()} == {"feed_unexpected_answer"}


def test_the_machines_own_proxy_is_asked_and_its_password_hidden(
    feed_home: FeedHome, server: Endpoint, secret: Callable[[str, str], str]
) -> None:
    """The address names no machine there is: only through the proxy can it be read."""
    proxy = server.address.removesuffix("/returns")
    secret("http_proxy", proxy.replace("http://", "http://clerk:pass%20word-7@"))
    seen = []

    def reply(asked: Asked) -> None:
        seen.append((asked.path, asked.headers["Proxy-Authorization"]))
        asked.say({"documents": [{"id": 1, "said": "clerk:pass word-7"}]})

    server.reply = reply
    feed_home.declare(declared(server, address="http://platform.invalid/returns", tries=1))
    assert feed_home.fetch().outcome == "answered"
    # echo -n 'clerk:pass word-7' | base64
    assert seen == [("http://platform.invalid/returns", "Basic Y2xlcms6cGFzcyB3b3JkLTc=")]
    assert b"pass word-7" not in feed_home.all_bytes
    secret("no_proxy", "platform.invalid")
    assert feed_home.fetch().reason_code == "feed_unreachable"
    secret("no_proxy", "")
    secret("http_proxy", "http://[broken")
    assert feed_home.fetch().reason_code == "feed_unreachable"
