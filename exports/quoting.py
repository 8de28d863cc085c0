"""Names and texts as SQL spells them, and values as folder names.

Here belongs quoting alone: every identifier, literal and path that exports/ puts into SQL or onto disk
passes here, because region codes, descriptions and home folders are other people's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z0-9-]")

# what Hive, Spark, DuckDB and polars read back as null
NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"
EMPTY_FOLDER = "__EMPTY__"


def quoted_name(name: str) -> str:
    """A SQL identifier in double quotes."""
    if "\0" in name:
        raise ValueError("a name cannot hold a NUL character")
    return '"' + name.replace('"', '""') + '"'


def quoted_names(names: Iterable[str]) -> str:
    return ", ".join(quoted_name(name) for name in names)


def quoted_text(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


def folder_value(value: object) -> str:
    """A value as part of a folder name: letters, digits and hyphen stay, every other byte is percent-encoded.

    No separator, colon, dot, blank or link-like name can come out, on any file system. The underscore is
    encoded as well, so that no value can be taken for one of the two reserved names.
    """
    if value is None:
        return NULL_FOLDER
    text = str(value)
    if not text:
        return EMPTY_FOLDER
    return "".join(
        character
        if _PLAIN.fullmatch(character)
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        for character in text
    )
