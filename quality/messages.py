"""Errors that speak both languages.

Here belongs the one shape in which quality/ tells a person that something cannot be used: Chinese and
English together, never a traceback. The texts themselves stand where the error arises.
"""

from __future__ import annotations

from ingestion.contracts.messages import Message, Told


class QualityError(Told):
    """Base of every error that quality/ raises on purpose."""

    def __init__(self, text_zh: str, text_en: str) -> None:
        super().__init__(Message(text_zh, text_en))


def both(text_zh: str, text_en: str) -> str:
    """One line for a column that holds both languages."""
    return f"{text_zh} / {text_en}"
