"""What a feed is: one entry of the home's `feeds.yml`, one model per kind.

Belongs here: the keys, their defaults, reading the file. Does not belong here: asking anybody anything, or a
secret: entries hold only the names of environment variables.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from ingestion.contracts import yaml_text
from ingestion.contracts.identity import digest
from ingestion.contracts.messages import Message, Refusal
from ingestion.sources import SOURCES


def _is_no_setting(name: str) -> str:
    # a night hands on only those TANCANG_ variables that are settings
    if name.startswith("TANCANG_"):
        raise ValueError("names with TANCANG_ are settings: choose another")
    return name


EnvName = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$", max_length=100), AfterValidator(_is_no_setting)]
Megabytes = Annotated[int, Field(ge=1, le=4096)]
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class _Strict(BaseModel):
    # what stands in the file may be a secret that was put in the wrong place: never repeat it
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class FeedSpec(_Strict):
    """What every kind has."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    source: str
    longest_s: Annotated[float, Field(gt=0, le=86400)] = 1800
    tries: Annotated[int, Field(ge=1, le=20)] = 4

    @field_validator("source")
    @classmethod
    def _source_is_known(cls, value: str) -> str:
        if value not in SOURCES:
            raise ValueError(f"source is one of {', '.join(SOURCES)}")
        return value

    @property
    def identity(self) -> str:
        """What decides which records the feed gives. An address or a timeout may change, these may not."""
        kept = self.model_dump(mode="json", include={"kind", "source", *self._identity})
        return digest(kept)[:16]

    @property
    def _identity(self) -> set[str]:
        return set()


class Remote(FeedSpec):
    """A feed that another machine answers."""

    user_env: EnvName | None = None
    password_env: EnvName | None = None
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30


def _plain_address(value: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(
            f"address starts with {' or '.join(f'{scheme}://' for scheme in schemes)} and a host"
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "address holds no user and no password: name variables with user_env and password_env"
        )
    return value


class Token(_Strict):
    """Where the token goes: a header, or a parameter of the address."""

    env: EnvName
    header: str = "Authorization"
    prefix: str = "Bearer "
    parameter: str | None = None

    @field_validator("header")
    @classmethod
    def _header_is_a_name(cls, value: str) -> str:
        if not _HEADER_NAME.fullmatch(value):
            raise ValueError("header is the name of a header")
        return value


class Paging(_Strict):
    """How the endpoint cuts its records into pages."""

    kind: Literal["page", "offset", "next", "link"]
    parameter: str | None = None
    first: Annotated[int, Field(ge=0)] | None = None
    size_parameter: str | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    total: str | None = None
    next: str | None = None
    most: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000

    def model_post_init(self, _: object) -> None:
        if (self.next is not None) != (self.kind == "next"):
            raise ValueError("next is given with paging kind next, and only there")
        if self.kind in ("page", "offset") and self.parameter is None:
            raise ValueError("parameter is missing")
        if self.size_parameter is not None and self.size is None:
            raise ValueError("size_parameter needs size")


class RecordCursor(_Strict):
    """The field of a record that grows, and the parameter that asks for what is newer."""

    field: str
    parameter: str
    kind: Literal["datetime", "number"] = "datetime"
    format: str | None = None
    overlap: Annotated[int, Field(ge=0)] = 0


class RestFeed(Remote):
    """A JSON endpoint."""

    kind: Literal["rest"]
    address: str
    records: str
    query: dict[str, str] = Field(default_factory=dict)
    token: Token | None = None
    expect: dict[str, str] = Field(default_factory=dict)
    paging: Paging | None = None
    cursor: RecordCursor | None = None
    largest_mb: Megabytes = 256
    longest_wait_s: Annotated[float, Field(ge=0, le=3600)] = 120
    ca_file: Path | None = None

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> str:
        return _plain_address(value, ("http", "https"))

    @property
    def _identity(self) -> set[str]:
        return {"records", "query", "cursor"}


class DatabaseFeed(Remote):
    """A table or a query of a PostgreSQL database."""

    kind: Literal["database"]
    address: str
    table: str | None = None
    query: str | None = None
    cursor: str | None = None
    overlap: Annotated[int, Field(ge=0)] = 0
    rows_per_file: Annotated[int, Field(ge=1)] = 200_000

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> str:
        address = _plain_address(value, ("postgresql", "postgres"))
        allowed = {"sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs"}
        if extra := set(parse_qs(urlsplit(value).query, keep_blank_values=True)) - allowed:
            raise ValueError(
                f"address does not take {', '.join(sorted(extra))}; it takes {', '.join(sorted(allowed))}"
            )
        return address

    def model_post_init(self, _: object) -> None:
        if (self.table is None) == (self.query is None):
            raise ValueError("give table or query, and not both")
        if self.overlap and self.cursor is None:
            raise ValueError("overlap needs cursor")

    @property
    def _identity(self) -> set[str]:
        return {"table", "query", "cursor"}


class _Files(FeedSpec):
    largest_mb: Megabytes = 256
    matches: str = "*"
    settle_s: Annotated[float, Field(ge=0, le=600)] = 5


class FolderFeed(_Files):
    """A shared folder that this machine sees as a path."""

    kind: Literal["folder"]
    address: Path


class SftpFeed(_Files, Remote):
    """A folder of an SFTP server."""

    kind: Literal["sftp"]
    address: str
    known_hosts: Path = Path("known_hosts")
    key_env: EnvName | None = None

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> str:
        return _plain_address(value, ("sftp",))

    def model_post_init(self, _: object) -> None:
        if self.user_env is None or (self.password_env is None and self.key_env is None):
            raise ValueError("user_env is needed, and password_env or key_env")


Feed = RestFeed | DatabaseFeed | FolderFeed | SftpFeed
_Entry = Annotated[RestFeed | DatabaseFeed | FolderFeed | SftpFeed, Field(discriminator="kind")]
_FEEDS: TypeAdapter[list[Feed]] = TypeAdapter(list[_Entry])


def load_feeds(path: Path) -> list[Feed]:
    """The feeds of a home, or none. Raises Refusal `bad_feeds` naming the entry and the key, never a value."""
    if not path.is_file():
        return []
    try:
        feeds = _FEEDS.validate_python(yaml_text.parsed(path.read_text(encoding="utf-8")) or [])
    except ValidationError as error:
        raise _bad("; ".join(_sentences(error))) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _bad(f"YAML, line {mark.line + 1}" if mark else "YAML") from None
    ids = [feed.id for feed in feeds]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise _bad(f"id {', '.join(twice)} stands twice")
    return feeds


def _sentences(error: ValidationError) -> list[str]:
    kinds = "kind is one of rest, database, folder, sftp"
    return [
        f"{'.'.join(str(part) for part in item['loc'])}: {kinds if item['type'].startswith('union_tag') else item['msg']}"
        for item in error.errors(include_input=False, include_url=False)
    ]


def _bad(what: str) -> Refusal:
    return Refusal(
        "bad_feeds",
        Message(f"feeds.yml 有误: {what}", f"feeds.yml is wrong: {what}"),
        Message("请按 docs/feeds.md 修改", "mend it as docs/feeds.md describes"),
    )
