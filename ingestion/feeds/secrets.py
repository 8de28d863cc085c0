"""Secrets of a feed: read from the environment by name, and struck out of everything that is said.

Belongs here: the only place that looks a secret up. Does not belong here: where it is sent.
"""

from __future__ import annotations

import base64
import os
from urllib.parse import quote, quote_plus

from ingestion.contracts.messages import Message, Refusal

STRUCK_OUT = "***"


class Secrets:
    """What one feed was given to show; remembers it in order to hide it."""

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def value(self, name: str) -> str:
        """The secret that the variable holds. Raises Refusal `secret_missing`, which names the variable alone."""
        found = os.environ.get(name, "")
        if not found or any(ord(letter) < 32 or ord(letter) == 127 for letter in found):
            raise Refusal(
                "secret_missing",
                Message(
                    f"环境变量 {name} 未设置, 或含有换行等控制字符",
                    f"the environment variable {name} is not set, or holds a control character",
                ),
                Message(f"请在运行前设置 {name}", f"set {name} before the run"),
            )
        self.remember(found)
        return found

    def remember(self, secret: str) -> None:
        """Hide this text too, in every form in which it travels."""
        self._forms |= {secret, quote(secret, safe=""), quote_plus(secret)}
        self._forms.add(base64.b64encode(secret.encode()).decode())

    def hidden(self, text: str) -> str:
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, STRUCK_OUT)
        return text

    def struck_out(self, data: bytes) -> bytes:
        """The same for what a sender answered: one that repeats our token must not have it archived."""
        for form in sorted(self._forms, key=len, reverse=True):
            # a word of less would be found where it is meant
            if len(form) >= 8:
                data = data.replace(form.encode(), STRUCK_OUT.encode())
        return data
