"""Text that people type for numbers and units, brought to one plain form. Pure functions.

Belongs here: full-width digits, thousands separators, scientific notation of spreadsheets, unit spellings.
Does not belong here: what a unit is worth (seeds) or what is done with a value that is no number (quarantine).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


def plain_number(text: str | None) -> str | None:
    """Plain decimal text of a typed number, or None when the text is not one number.

    `１，２３４．５０` → `1234.50`; `1.2E3` → `1200`; `约12`, `1_000`, `12,34`, `见附件`, `nan` → None.
    Digits are never rounded; a leading plus and surrounding blanks are not part of the number.
    """
    if text is None:
        return None
    folded = unicodedata.normalize("NFKC", text).strip()
    if _GROUPED.fullmatch(folded):
        folded = folded.replace(",", "")
    if not _PLAIN.fullmatch(folded):
        return None
    try:
        number = Decimal(folded)
    except InvalidOperation:
        return None
    if number.adjusted() > 30:
        return None
    return format(number, "f")


def unit_spelling(text: str | None) -> str | None:
    """A unit as the conversion seed spells it: NFKC, no blanks, no brackets around it. Empty text → None."""
    if text is None:
        return None
    folded = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    if len(folded) > 2 and folded[0] in "([" and folded[-1] in ")]":
        folded = folded[1:-1]
    return folded or None


_BRACKETED = re.compile(r"[(\[（【]([^()\[\]（）【】]*)[)\]）】]\s*$")


def unit_in_header(header: str | None) -> str | None:
    """The unit in trailing brackets of a column header: `电消费量(kWh)` → `kWh`."""
    found = _BRACKETED.search(header or "")
    return unit_spelling(found.group(1)) if found else None
