"""Files of a source, loaded one by one with their rows put to rest, and left as they are while nothing changed.

Belongs here: which files are streamed, the note beside each partition that says what it was made from, and when
it may be used again. Does not belong here: how a file is read (`load`, `streaming`), how rows rest (`resting`), the
warehouse (`raw`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandera.polars as pa
import polars as pl

from ingestion import archive, resting
from ingestion.account import Delivery
from ingestion.archive import Receipt
from ingestion.checks import held_columns
from ingestion.contracts.home import Home
from ingestion.contracts.identity import digest
from ingestion.deliveries import Arrived, load_delivery
from ingestion.load import Loaded, Rules, load
from ingestion.matching import settling
from ingestion.quarantine import NOTE_COLUMNS, QUARANTINE_COLUMNS
from ingestion.readers import archives
from ingestion.resting import AtRest, path_of
from ingestion.streaming import large, wrapping

IN_FLIGHT = 2
"""Large files read at a time: while one is hashed, counted or asked about, the other is typed. Three were no faster."""
_RECORD_COLUMNS = {
    "row_number": pl.Int32(),
    "n_cells": pl.Int64(),
    "sheet": pl.String(),
    "target": pl.String(),
}


@dataclass(frozen=True)
class Room:
    """Where the files of one night are loaded. `made_from` is the digest of everything but a file's bytes and name."""

    home: Home
    rules: Rules
    made_from: str
    con: duckdb.DuckDBPyConnection


def made_from(rules: Rules, source: str, code: str) -> str:
    """What a source's rows are made from besides the files: declarations, seeds, and the code with its engines."""
    return digest(
        {
            "layouts": {item.id: item.digest for item in rules.layouts if item.source == source},
            "corrections": [item.model_dump() for item in rules.corrections if item.source == source],
            "codes": [item.model_dump() for item in rules.codes if item.source == source],
            "matches": settling.decisions_of(rules.matching, source),
            "code": code,
        }
    )


def load_all(room: Room, deliveries: list[Receipt]) -> list[Arrived]:
    """Every file of the deliveries, in their order; what rests is at rest, all else is in memory."""
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        begun = {
            item.file_id: pool.submit(_streamed, room, item)
            for item in deliveries
            if wrapping.unpacked_bytes(archive.object_path(room.home, item.sha256)) >= large.FROM_BYTES
        }
        return [
            file
            for item in deliveries
            for file in (begun[item.file_id].result() if item.file_id in begun else _whole(room, item))
        ]


def rest(
    con: duckdb.DuckDBPyConnection, home: Home, schemas: Mapping[str, pa.DataFrameSchema], arrived: Arrived
) -> None:
    """Put what rests of a file that was read whole to rest."""
    loaded = arrived.loaded
    for target, rows in loaded.tables.items():
        if resting.columns(schemas[target]) is None or target in loaded.at_rest:
            continue
        path = path_of(home, arrived.receipt, target)
        resting.write(con, schemas[target], rows, path)
        loaded.tables[target] = rows.clear()
        loaded.at_rest[target] = AtRest(path, rows.height)


def forget_others(home: Home, source: str, target: str, kept: Iterable[Path]) -> None:
    """Remove partitions of a source that no current file gave, so that whoever scans the folder sees each row once."""
    current = set(kept)
    for path in (home.at_rest(target) / f"source={source}").glob("*/*.parquet"):
        if path not in current:
            _note_of(path).unlink(missing_ok=True)
            path.unlink()


def _streamed(room: Room, receipt: Receipt) -> list[Arrived]:
    kept = _kept(room, receipt)
    if kept is not None:
        return [Arrived(receipt, kept)]
    loaded = None
    if not archives.is_container(receipt.path) and "readings" in room.rules.schemas(receipt.source):
        loaded = _load_large(room, receipt, archive.object_path(room.home, receipt.sha256))
    if loaded is None:
        return _read_whole(room, receipt)
    _remember(room, receipt, loaded)
    return [Arrived(receipt, loaded)]


def _load_large(room: Room, receipt: Receipt, path: Path) -> Loaded | None:
    delivery = Delivery(receipt.file_id, receipt.source, receipt.path)
    with room.con.cursor() as con:
        target = path_of(room.home, receipt, "readings")
        return large.load_large(con, delivery, path, receipt.sha256, room.rules, target)


def _member(room: Room, receipt: Receipt, data: bytes) -> Loaded:
    """A member of a container; one that is large is put beside its partition and read from there."""
    if len(data) >= large.FROM_BYTES and "readings" in room.rules.schemas(receipt.source):
        target = path_of(room.home, receipt, "readings")
        scratch = target.with_name(f".{target.stem}.member")
        scratch.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(data)
        try:
            loaded = _load_large(room, receipt, scratch)
        finally:
            scratch.unlink()
        if loaded is not None:
            return loaded
    return load(Delivery(receipt.file_id, receipt.source, receipt.path), data, room.rules)


def _whole(room: Room, receipt: Receipt) -> list[Arrived]:
    kept = _kept(room, receipt)
    return _read_whole(room, receipt) if kept is None else [Arrived(receipt, kept)]


def _read_whole(room: Room, receipt: Receipt) -> list[Arrived]:
    data = archive.read_sealed(room.home, receipt.sha256)
    found = load_delivery(receipt, data, room.rules, partial(_member, room))
    with room.con.cursor() as con:
        for file in found:
            rest(con, room.home, room.rules.schemas(receipt.source), file)
    if len(found) == 1:
        _remember(room, receipt, found[0].loaded)
    return found


def _note_of(path: Path) -> Path:
    """Engines that scan folders overlook names that begin with an underscore."""
    return path.with_name(f"_{path.stem}.json")


def _remember(room: Room, receipt: Receipt, loaded: Loaded) -> None:
    """Write beside a partition what it was made from and what its account was."""
    if loaded.layout is None or not loaded.at_rest or loaded.at_rest.keys() != loaded.tables.keys():
        return
    note = {
        "made_from": room.made_from,
        "register": room.rules.register_seal(loaded.layout),
        "layout": loaded.layout.id,
        "at_rest": {
            target: {"sha256": _hash(item.path), "n_rows": item.n_rows}
            for target, item in loaded.at_rest.items()
        },
        "counts": loaded.counts,
        "applied": loaded.applied,
        "settled": list(loaded.settled.items()),
        "n_value_cells": loaded.n_value_cells,
        "matches": loaded.matches.to_dict(as_series=False),
        "records": loaded.records.to_dict(as_series=False),
        "quarantine": loaded.quarantine.to_dict(as_series=False),
        "notes": loaded.notes.to_dict(as_series=False),
    }
    path = loaded.at_rest[min(loaded.at_rest)].path
    unfinished = path.with_name(f".{path.stem}.json.{os.getpid()}")
    unfinished.write_text(json.dumps(note, ensure_ascii=False), encoding="utf-8")
    os.replace(unfinished, _note_of(path))


def _kept(room: Room, receipt: Receipt) -> Loaded | None:
    """The account of partitions that would come out the same tonight; None when they must be made."""
    schemas = room.rules.schemas(receipt.source)
    places = {
        target: path_of(room.home, receipt, target)
        for target in sorted(schemas)
        if resting.columns(schemas[target]) is not None
    }
    try:
        beside = next(note for note in map(_note_of, places.values()) if note.exists())
        note: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
        layout = next(item for item in room.rules.layouts if item.id == note["layout"])
        made_from = (note["made_from"], note["register"])
        if made_from != (room.made_from, room.rules.register_seal(layout)) or any(
            _hash(places[target]) != item["sha256"] for target, item in note["at_rest"].items()
        ):
            return None
        return Loaded(
            Delivery(receipt.file_id, receipt.source, receipt.path),
            layout,
            tables={target: pl.DataFrame(schema=held_columns(schemas[target])) for target in note["at_rest"]},
            records=pl.DataFrame(note["records"], schema=_RECORD_COLUMNS if note["records"] else None),
            quarantine=pl.DataFrame(note["quarantine"], schema=QUARANTINE_COLUMNS),
            notes=pl.DataFrame(note["notes"], schema=NOTE_COLUMNS),
            counts=note["counts"],
            applied=Counter(note["applied"]),
            settled=Counter({tuple(key): n for key, n in note["settled"]}),
            n_value_cells=note["n_value_cells"],
            matches=pl.DataFrame(note["matches"], schema=settling.COLUMNS),
            at_rest={
                target: AtRest(places[target], item["n_rows"]) for target, item in note["at_rest"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
