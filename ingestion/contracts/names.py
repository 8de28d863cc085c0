"""Names of files as people can read them and every program can write them. Pure functions.

Belongs here: letters that would break a line, turn its direction or be no text at all, and texts that a spreadsheet would
run. Does not belong here: which files are read (`archive`).
"""

from __future__ import annotations

import unicodedata

_TURNING = frozenset(
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


def visible(name: str) -> str:
    """A name with control characters, marks of direction and bytes that are no UTF-8 written out, as `\\x0a`."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(_written_out(letter) for letter in text)


def _written_out(letter: str) -> str:
    if letter in _TURNING or unicodedata.category(letter) in ("Cc", "Cs"):
        return f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}"
    return letter


_FORMULA_MARKS = tuple("=+-@\t\r\n＝＋－＠")


def inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_MARKS) else text
