"""One request of a JSON endpoint: bounded in time, size and tries, and never telling its token.

Belongs here: HTTP, waiting, what an answer that is none looks like. Does not belong here: pages (rest).
"""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as Silence
from urllib3.util import Url, parse_url

from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.declaration import RestFeed
from ingestion.feeds.secrets import Secrets

# its debug lines hold whole addresses, and with them a token that goes as a parameter
logging.getLogger("urllib3").setLevel(logging.INFO)

_CHUNK = 1 << 16
FIRST_WAIT_S = 1.0
# another try may help; every other status says the same tomorrow
_PASSING = {408, 425, 429, 500, 502, 503, 504}

Read = TypeVar("Read")


@dataclass(frozen=True)
class Answer:
    body: bytes
    link_next: str | None


class Patience:
    """How long a whole feed may still take."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def check(self) -> None:
        if time.monotonic() > self._until:
            raise too_long()

    def wait(self, seconds: float) -> None:
        if time.monotonic() + seconds > self._until:
            raise too_long()
        time.sleep(seconds)


def _proxy_for(address: str) -> Url | None:
    """What the machine's own variables (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) say for this address."""
    parts = urlsplit(address)
    proxy = getproxies_environment().get(parts.scheme)
    if not proxy or proxy_bypass_environment(parts.netloc):
        return None
    try:
        return parse_url(proxy if "://" in proxy else f"http://{proxy}")
    except LocationParseError:
        raise _unreachable() from None


class Asker:
    """Asks one endpoint, one request at a time."""

    def __init__(self, feed: RestFeed, secrets: Secrets, patience: Patience) -> None:
        self._feed, self._secrets, self._patience = feed, secrets, patience
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        self._parameters: dict[str, str] = {}
        if feed.token is not None:
            token = secrets.value(feed.token.env)
            if feed.token.parameter is not None:
                self._parameters[feed.token.parameter] = token
            else:
                self._headers[feed.token.header] = f"{feed.token.prefix}{token}"
        if feed.user_env is not None:
            user = secrets.value(feed.user_env)
            password = secrets.value(feed.password_env) if feed.password_env else ""
            secrets.remember(f"{user}:{password}")
            self._headers |= urllib3.make_headers(basic_auth=f"{user}:{password}")
        context = ssl.create_default_context(cafile=str(feed.ca_file) if feed.ca_file else None)
        timeout = urllib3.Timeout(connect=feed.timeout_s, read=feed.timeout_s)
        proxy = _proxy_for(feed.address)
        self._pool: urllib3.PoolManager
        if proxy is None:
            self._pool = urllib3.PoolManager(retries=False, timeout=timeout, ssl_context=context)
            return
        admitted = {}
        if proxy.auth:
            secrets.remember(unquote(proxy.auth))
            admitted = urllib3.make_headers(proxy_basic_auth=unquote(proxy.auth))
        self._pool = urllib3.ProxyManager(
            proxy._replace(auth=None).url,
            proxy_headers=admitted,
            retries=False,
            timeout=timeout,
            ssl_context=context,
        )

    def get(self, url: str, read: Callable[[Answer], Read]) -> Read:
        """What `read` makes of the answer; tried again while trying again can help."""
        refusal: Refusal | None = None
        for turn in range(self._feed.tries):
            if turn:
                assert refusal is not None
                self._patience.wait(self._wait(turn, refusal))
            try:
                return read(self._once(url))
            except _Passing as passing:
                refusal = passing.refusal
            except Refusal as found:
                # half a body without a length is cut JSON: ask again
                if found.code != "broken_json":
                    raise
                refusal = found
        assert refusal is not None
        raise refusal

    def _wait(self, turn: int, refusal: Refusal) -> float:
        asked = refusal.wait_s if isinstance(refusal, _AsksToWait) else 0.0
        if asked > self._feed.longest_wait_s:
            raise refusal
        return max(asked, min(FIRST_WAIT_S * float(2 ** (turn - 1)), self._feed.longest_wait_s))

    def _once(self, url: str) -> Answer:
        self._patience.check()
        try:
            response = self._pool.request(
                "GET",
                self._with_parameters(url),
                headers=self._headers,
                redirect=False,
                preload_content=False,
            )
            try:
                self._judge_status(response)
                body = self._body(response)
            finally:
                # a connection with an unread rest must not serve the next request
                response.close()
        except SSLError:
            raise _refused(
                "feed_not_trusted",
                "服务器证书不受信任",
                "the server's certificate is not trusted",
                "请核对地址; 自建证书用 ca_file 指定",
                "look at the address; name an own authority with ca_file",
            ) from None
        except NewConnectionError:
            raise _Passing(_unreachable()) from None
        except Silence:
            raise _Passing(
                _refused(
                    "feed_silent",
                    f"{self._feed.timeout_s:g} 秒内没有应答",
                    f"no answer within {self._feed.timeout_s:g} s",
                    "请与接口方核对服务; 下次运行会从断点继续",
                    "ask who runs it; the next run goes on from here",
                )
            ) from None
        except ProtocolError:
            raise _Passing(
                _refused(
                    "feed_broke_off",
                    "连接在应答途中断开",
                    "the connection broke off in mid-answer",
                    "请与接口方核对服务; 下次运行会从断点继续",
                    "ask who runs it; the next run goes on from here",
                )
            ) from None
        except HTTPError:
            raise _Passing(_unreachable()) from None
        if "html" in response.headers.get("Content-Type", "").lower() or body.lstrip()[:1] == b"<":
            raise _refused(
                "feed_login_page",
                "返回的是网页 (常见为登录页), 不是 JSON",
                "a web page came back, often a login page, and no JSON",
                "请核对地址与凭据",
                "look at the address and the credentials",
            )
        return Answer(body, _link_next(response.headers.get("Link", "")))

    def _with_parameters(self, url: str) -> str:
        if not self._parameters:
            return url
        parts = urlsplit(url)
        kept = [
            pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in self._parameters
        ]
        return urlunsplit(parts._replace(query=urlencode([*kept, *self._parameters.items()])))

    def _judge_status(self, response: urllib3.BaseHTTPResponse) -> None:
        status = response.status
        if 200 <= status < 300:
            return
        if status in (401, 403):
            raise _refused(
                "feed_not_admitted",
                f"凭据未被接受 (HTTP {status})",
                f"the credentials were not accepted (HTTP {status})",
                "请更新环境变量中的令牌或口令",
                "renew the token or password in the environment",
            )
        if 300 <= status < 400:
            raise _refused(
                "feed_leads_elsewhere",
                f"接口转向别处 (HTTP {status}), 常见为登录页",
                f"it leads elsewhere (HTTP {status}), often to a login page",
                "请写最终地址; 凭据不会随转向发出",
                "write the final address; credentials do not follow a redirect",
            )
        refusal = _refused(
            "feed_failing" if status in _PASSING else "feed_refused_request",
            f"接口返回错误 (HTTP {status})",
            f"it answered with an error (HTTP {status})",
            "请与接口方核对服务; 下次运行会从断点继续",
            "ask who runs it; the next run goes on from here",
        )
        if status not in _PASSING:
            raise refusal
        wait_s = _retry_after(response.headers.get("Retry-After"))
        raise _Passing(_AsksToWait(refusal, wait_s) if wait_s else refusal)

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        parts, size = [], 0
        for chunk in response.stream(_CHUNK, decode_content=True):
            self._patience.check()
            size += len(chunk)
            if size > self._feed.largest_mb << 20:
                raise too_large(self._feed.largest_mb)
            parts.append(chunk)
        return self._secrets.struck_out(b"".join(parts))


class _Passing(Exception):
    """A refusal that another try may turn."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class _AsksToWait(Refusal):
    def __init__(self, refusal: Refusal, wait_s: float) -> None:
        super().__init__(refusal.code, refusal.reason, refusal.mend)
        self.wait_s = wait_s


def _refused(code: str, zh: str, en: str, mend_zh: str, mend_en: str) -> Refusal:
    return Refusal(code, Message(zh, en), Message(mend_zh, mend_en))


def _unreachable() -> Refusal:
    return _refused(
        "feed_unreachable",
        "无法连接",
        "it cannot be reached",
        "请核对地址与网络",
        "look at the address and the network",
    )


def too_large(largest_mb: int) -> Refusal:
    return _refused(
        "feed_too_large",
        f"应答超过 {largest_mb} MB",
        f"more than {largest_mb} MB",
        "请缩小每页条数, 或调高 largest_mb",
        "ask for smaller pages, or raise largest_mb",
    )


def too_long() -> Refusal:
    return _refused(
        "feed_too_long",
        "读取超过了 longest_s",
        "reading takes longer than longest_s",
        "请与接口方核对服务, 或调高 longest_s; 已完成的部分已保留",
        "ask who runs it, or raise longest_s; what was finished is kept",
    )


def _retry_after(text: str | None) -> float:
    """Seconds that the server asks for: a number, or a date of its own clock."""
    if not text:
        return 0.0
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _link_next(header: str) -> str | None:
    """The target of `rel="next"` of a Link header."""
    for target, facts in re.findall(r"<([^>]*)>([^<]*)", header):
        if re.search(r"""rel\s*=\s*"?[^";,]*\bnext\b""", facts, re.I):
            return str(target)
    return None
