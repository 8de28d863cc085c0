"""Messages to people, always in Chinese and English, and the errors that carry them.

Belongs here: the shape of a message, of an error that people read, and of a refusal. The texts stand where the thing is found.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One sentence in both languages."""

    zh: str
    en: str

    def format(self, **values: object) -> Message:
        return Message(self.zh.format(**values), self.en.format(**values))


class Told(Exception):
    """Base of every error that is raised on purpose for a person to read: `text` says what is wrong, and the mend."""

    def __init__(self, text: Message) -> None:
        super().__init__(f"{text.zh}\n{text.en}")
        self.text = text


class Refusal(Told):
    """A file, a declaration or a request that cannot be used: what was found, and how to mend it.

    Raised for mistakes of the user or of a sender, never for faults of ours; whoever catches it shows the
    two messages and goes on with the rest.
    """

    def __init__(self, code: str, reason: Message, mend: Message) -> None:
        super().__init__(Message(f"{reason.zh}; {mend.zh}", f"{reason.en}; {mend.en}"))
        self.code = code
        self.reason = reason
        self.mend = mend
