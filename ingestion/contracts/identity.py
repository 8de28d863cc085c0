"""Names that depend on content alone: digests, file ids, A1 cell names. Pure functions.

Does not belong here: reading files (the archive does) or choosing release names (exports do).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest(value: Any) -> str:
    """SHA-256 (hex) of a JSON-like value in canonical form: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def file_id(source: str, path: str, sha256: str) -> str:
    """Sixteen hex digits that name one delivery: the same bytes under the same name are the same delivery."""
    return hashlib.sha256(f"{source}\0{path}\0{sha256}".encode()).hexdigest()[:16]


def column_letters(column_number: int) -> str:
    """Spreadsheet letters of a 1-based column number: 1 → A, 27 → AA."""
    letters = ""
    while column_number > 0:
        column_number, rest = divmod(column_number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_name(row_number: int, column_number: int) -> str:
    """A1 name of a cell from 1-based row and column numbers."""
    return f"{column_letters(column_number)}{row_number}"
