"""Rows of a file against entries of the register: by declared keys first, then by weighed agreement (Splink on DuckDB).

Belongs here: the order of the steps, keys, candidates, what is sure. Does not belong here: how a name is read (`names`),
weights (`model.yml`), what a match does to a row (`settling`).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import polars as pl

from ingestion.matching.addresses import read_address
from ingestion.matching.model import Model, load_model
from ingestion.matching.names import (
    HERE,
    NameReader,
    Region,
    common_prefix,
    folded,
    letters,
    pieces,
    short_code,
)
from ingestion.matching.settling import ENTRY_COLUMNS

ROW_COLUMNS = (
    "row_id",
    "institution_id",
    "former_id",
    "institution_name",
    "region_code",
    "address",
    "postcode",
)
"""What an arriving row may say of the institution it means."""
MATCH_COLUMNS: dict[str, pl.DataType] = {
    "row_id": pl.Int64(),
    "institution_id": pl.String(),
    "matched_name": pl.String(),
    "match_weight": pl.Float64(),
    "agreed": pl.List(pl.String()),
    "differed": pl.List(pl.String()),
    "rivals": pl.List(
        pl.Struct(
            {"institution_id": pl.String(), "institution_name": pl.String(), "match_weight": pl.Float64()}
        )
    ),
    "is_sure": pl.Boolean(),
}
_PREPARED = pl.Schema(
    {
        "unique_id": pl.Int64(),
        **dict.fromkeys(
            ("core", "proper", "number", "kind", "place", "parent_core", "letters", "street", "house",
             "street_stem", "street_letters", "postcode"),
            pl.String(),
        ),
        **dict.fromkeys(("places", "pieces", "street_pieces"), pl.List(pl.String())),
    }
)  # fmt: skip
_ORGANISATION_CODE = slice(8, 17)
"""Where a unified social credit code holds the organisation code (GB 11714) that it took the place of."""


class Register:
    """The entries of one night, read once for all files of it."""

    def __init__(self, entries: pl.DataFrame, regions: Iterable[Region], model: Model | None = None) -> None:
        self.model = model or load_model()
        self.entries = (
            _with_columns(entries, ENTRY_COLUMNS).unique().sort(ENTRY_COLUMNS).with_row_index("unique_id")
        )
        known = tuple(regions)
        bare = NameReader(known)
        heads = [
            bare.without_place(folded(name))[0]
            for name in self.entries["institution_name"].unique().drop_nulls().to_list()
        ]
        self.names = NameReader(known, common_prefix(heads, self.model.common_prefix_share))
        self._by_key = self._keys()
        self._prepared: pl.DataFrame | None = None

    def _keys(self) -> dict[str, str]:
        """Every key that means one entry only: its own, its former one, the organisation code inside it."""
        meant: dict[str, set[str]] = {}
        for own, former in self.entries.select("institution_id", "former_id").iter_rows():
            parts = [own, former]
            if own and len(own) == 18:
                parts.append(own[_ORGANISATION_CODE])
            for part in parts:
                if part:
                    meant.setdefault(_key(part), set()).add(own)
        own_keys = {_key(own): own for own in self.entries["institution_id"].drop_nulls().to_list()}
        return {key: next(iter(ids)) for key, ids in meant.items() if len(ids) == 1} | own_keys

    def of_key(self, code: str | None) -> tuple[str, str] | None:
        """The entry that a code means, and which key said so."""
        if not code or not code.strip():
            return None
        key = _key(code)
        if key in self._by_key:
            own = self._by_key[key]
            return own, "code" if key == _key(own) else "former code"
        mended = "".join(_mistyped().get(mark, mark) for mark in key)
        return (self._by_key[mended], "code with letters for digits") if mended in self._by_key else None

    def prepared(self) -> pl.DataFrame:
        """The entries taken apart."""
        if self._prepared is None:
            self._prepared = _prepare(self.entries, self.names)
        return self._prepared

    def match(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One line per row: the entry it means, or most likely means, with everything that speaks for and against."""
        rows = _with_columns(rows, ROW_COLUMNS)
        by_key = _found_by_key(rows, self)
        rest = rows.join(by_key, on="row_id", how="anti")
        different = rest.select(ROW_COLUMNS[3:]).unique().sort(ROW_COLUMNS[3:]).with_row_index("unique_id")
        weighed = _weigh(different, self)
        said = rest.join(different, on=ROW_COLUMNS[3:], how="left", nulls_equal=True).select(
            "row_id", "unique_id"
        )
        found = said.join(weighed, on="unique_id", how="left").with_columns(
            is_sure=pl.col("is_sure").fill_null(False),
            **{name: pl.col(name).fill_null([]) for name in ("agreed", "differed", "rivals")},
        )
        return pl.concat([by_key, found.select(list(MATCH_COLUMNS))], how="vertical").sort("row_id")


def _with_columns(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """The named columns, texts without blanks around them; what a frame does not have is not said."""
    return frame.select(
        pl.col(name)
        if name == "row_id"
        else (
            pl.col(name).str.strip_chars().replace("", None)
            if name in frame.columns
            else pl.lit(None, dtype=pl.String)
        ).alias(name)
        for name in names
    )


def _key(text: str) -> str:
    return "".join(mark for mark in folded(text) if mark.isalnum())


@cache
def _mistyped() -> dict[str, str]:
    with (HERE / "key_letters.csv").open(encoding="utf-8", newline="") as handle:
        return {row["letter"]: row["read_as"] for row in csv.DictReader(handle)}


def _found_by_key(rows: pl.DataFrame, register: Register) -> pl.DataFrame:
    names = dict(register.entries.select("institution_id", "institution_name").iter_rows())
    found: list[tuple[Any, ...]] = []
    for row_id, own, former in rows.select("row_id", "institution_id", "former_id").iter_rows():
        hit = register.of_key(own) or register.of_key(former)
        if hit:
            found.append((row_id, hit[0], names[hit[0]], None, [hit[1]], [], [], True))
    return pl.DataFrame(found, schema=MATCH_COLUMNS, orient="row")


def _prepare(frame: pl.DataFrame, names: NameReader) -> pl.DataFrame:
    """Names and addresses taken apart, as the conditions of the model ask for them."""
    ids = frame["institution_id"].to_list() if "institution_id" in frame.columns else [None] * frame.height
    texts = frame["institution_name"].to_list()
    cores = {own: names.read(text).core for own, text in zip(ids, texts, strict=True) if own}
    parents = frame["parent_id"].to_list() if "parent_id" in frame.columns else [None] * frame.height
    rest = frame.select("unique_id", "region_code", "address", "postcode").iter_rows()
    prepared = []
    for (unique_id, region, address, postcode), text, parent in zip(rest, texts, parents, strict=True):
        name, where = names.read(text, region), read_address(address, names, region)
        places = sorted({code for code in (name.place, short_code(region)) if code})
        place = max([*places, where.place or ""], key=len) or None
        prepared.append(
            (
                unique_id, name.core, name.proper, name.number, name.kind,
                place, cores.get(parent), letters(name.core), where.street, where.house,
                where.stem, letters(where.street), _key(postcode) if postcode else None, places, pieces(name.core),
                pieces(where.street),
            )
        )  # fmt: skip
    return pl.DataFrame(prepared, schema=_PREPARED, orient="row")


def _weigh(rows: pl.DataFrame, register: Register) -> pl.DataFrame:
    """The entry that weighs most for each row, with its rivals."""
    import duckdb
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    model = register.model
    arriving, entries = _prepare(rows, register.names), register.prepared()
    with_rare = _rare(entries, model)
    with duckdb.connect() as con:
        api = DuckDBAPI(con)
        sides = [
            api.register(with_rare(frame).to_arrow(), dataset_display_name=side)
            for side, frame in (("a_row", arriving), ("b_entry", entries))
        ]
        linker = Linker(sides, model.settings(), log_level="ERROR")
        pairs = linker.inference.predict(warning_mode="never").physical_name
        con.register(
            "entry_of", register.entries.select("unique_id", "institution_id", "institution_name").to_arrow()
        )
        found: pl.DataFrame = con.sql(_best(model, pairs)).pl()
    return found


def _rare(entries: pl.DataFrame, model: Model) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Adds to rows or entries what few entries have: the rarest pieces of a name, and the name where it is rare."""
    n_entries: Counter[str] = Counter(entries["pieces"].explode().drop_nulls().to_list())

    def rarest(found: Iterable[str]) -> list[str]:
        known = [piece for piece in found if 0 < n_entries[piece] <= model.most_per_piece]
        return sorted(known, key=lambda piece: (n_entries[piece], piece))[: model.rare_pieces]

    few = {
        name: entries.group_by(name)
        .len()
        .filter(pl.col("len") <= model.most_per_piece)[name]
        .drop_nulls()
        .implode()
        for name in ("core", "letters")
    }

    def with_rare(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            piece=pl.Series(
                [rarest(found) if found else [] for found in frame["pieces"].to_list()],
                dtype=pl.List(pl.String),
            ),
            rare_core=pl.when(pl.col("core").is_in(few["core"])).then("core"),
            rare_letters=pl.when(pl.col("letters").is_in(few["letters"])).then("letters"),
        )

    return with_rare


def _best(model: Model, pairs: str) -> str:
    return f"""
        with pairs as (
            select unique_id_l as unique_id, entry_of.institution_id, entry_of.institution_name,
                round(match_weight, 4) as match_weight,
                {model.labels("agrees")} as agreed, {model.labels("differs")} as differed
            from {pairs} as pairs inner join entry_of on entry_of.unique_id = pairs.unique_id_r
            where match_weight >= {model.least_weight}
        ),
        entries as (
            select * from pairs
            qualify row_number() over (
                partition by unique_id, institution_id order by match_weight desc, institution_name
            ) = 1
        ),
        ranked as (
            select *, row_number() over (partition by unique_id order by match_weight desc, institution_id) as place
            from entries
        )
        select best.unique_id, best.institution_id, best.institution_name as matched_name, best.match_weight,
            best.agreed, best.differed, coalesce(rivals.rivals, []) as rivals,
            best.match_weight >= {model.sure_weight}
                and best.match_weight - coalesce(rivals.strongest, -1e9) >= {model.rival_margin} as is_sure
        from ranked as best
        left join (
            select unique_id, max(match_weight) as strongest, list(struct_pack(
                institution_id := institution_id, institution_name := institution_name, match_weight := match_weight
            ) order by place) as rivals
            from ranked where place between 2 and {model.shown_rivals} + 1 group by unique_id
        ) as rivals using (unique_id)
        where best.place = 1
    """
