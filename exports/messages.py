"""Errors and notes that speak both languages.

Here belongs the one shape in which exports/ tells a person what is wrong and how to mend it. The texts
themselves stand where the thing is found.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingestion.contracts.messages import Message, Told


@dataclass(frozen=True)
class Note:
    """Something a person should know that stops nothing."""

    text_zh: str
    text_en: str


class ExportError(Told):
    """Base of every error that exports/ raises on purpose."""

    def __init__(self, text_zh: str, text_en: str) -> None:
        super().__init__(Message(text_zh, text_en))
