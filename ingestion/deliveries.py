"""One delivery becomes the files in it: most are one file, a container is its members.

Belongs here: opening a container and loading each member as a file of its own, `container!member`; the
container's own account. Does not belong here: unpacking (`readers.archives`), reading a file (`load`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ingestion import counting
from ingestion.account import Delivery
from ingestion.archive import Receipt
from ingestion.contracts.messages import Refusal
from ingestion.load import Loaded, Rules, load
from ingestion.quarantine import NOTE_COLUMNS
from ingestion.readers import archives

MEMBER = "member"
"""Unit of the row ledger in which a container is counted."""


@dataclass(frozen=True)
class Arrived:
    """A file as it was read, and the receipt it is filed under: of a member, its container's own."""

    receipt: Receipt
    loaded: Loaded


def load_delivery(
    receipt: Receipt, data: bytes, rules: Rules, load_member: Callable[[Receipt, bytes], Loaded] | None = None
) -> list[Arrived]:
    """The file itself, or a container followed by its members. Never raises for what a file says.

    `load_member` reads a member, if not as a file of its own in memory.
    """
    delivery = Delivery(receipt.file_id, receipt.source, receipt.path)
    if not archives.is_container(receipt.path):
        return [Arrived(receipt, load(delivery, data, rules))]
    try:
        members = archives.members(receipt.path, data)
    except Refusal as refusal:
        return [Arrived(receipt, Loaded(delivery, refusal=refusal))]
    arrived = [
        _member(receipt, member.name, member.data, rules, load_member)
        for member in members
        if member.data is not None
    ]
    n_refused = sum(item.loaded.refusal is not None for item in arrived)
    whole = Loaded(
        delivery,
        notes=_ignored(delivery, members),
        counts={
            MEMBER: {
                "n_read": counting.archive_entries(data),
                "n_loaded": len(arrived) - n_refused,
                "n_quarantined": n_refused,
                "n_ignored": sum(member.rule is not None for member in members),
            }
        },
    )
    return [Arrived(receipt, whole), *arrived]


def _member(
    container: Receipt,
    name: str,
    data: bytes,
    rules: Rules,
    load_member: Callable[[Receipt, bytes], Loaded] | None,
) -> Arrived:
    receipt = container.model_copy(
        update={
            "path": f"{container.path}{archives.SEPARATOR}{name}",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_bytes": len(data),
        }
    )
    if load_member is not None:
        return Arrived(receipt, load_member(receipt, data))
    return Arrived(receipt, load(Delivery(receipt.file_id, receipt.source, receipt.path), data, rules))


def _ignored(delivery: Delivery, members: list[archives.Member]) -> pl.DataFrame:
    """A note for each member that a rule sets aside, by name."""
    rows = [
        {
            "file_id": delivery.file_id,
            "source": delivery.source,
            "path": delivery.path,
            "note_code": f"ignored_{member.rule.code}",
            "found": member.name,
            "text_zh": f"压缩包内不读取: {member.rule.why.zh}",
            "text_en": f"in the archive and not read: {member.rule.why.en}",
        }
        for member in members
        if member.rule is not None
    ]
    return pl.DataFrame([{name: row.get(name) for name in NOTE_COLUMNS} for row in rows], schema=NOTE_COLUMNS)
