"""Errors and notes that speak both languages.

Here belongs the one shape in which exports/ tells a person what is wrong and how to mend it. The texts
themselves stand where the thing is found.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """Something a person should know that stops nothing."""

    text_zh: str
    text_en: str


class ExportError(Exception):
    """Base of every error that exports/ raises on purpose; both texts say what is wrong and how to mend
    it.
    """

    def __init__(self, text_zh: str, text_en: str) -> None:
        super().__init__(f"{text_zh}\n{text_en}")
        self.text_zh = text_zh
        self.text_en = text_en
