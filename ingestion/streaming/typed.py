"""Plain lines of a large file typed by DuckDB, and which lines are not plain.

Belongs here: one pass over the text in SQL, and what makes a line plain. Does not belong here: what any text means
(`judge`): a line is plain when its stamps and its amount are written as they are read, so that lines of one kind,
equal in every other column that counts, become rows that differ in nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from ingestion import readings
from ingestion.contracts.corrections import Correction
from ingestion.streaming.lines import Lines, Numbers
from ingestion.streaming.plan import Plan

MAX_KINDS = 20_000
"""Kinds of lines of a piece; more of them say that a column of serial numbers is among them, and asking is slower."""
MAX_RARE = 1_000
"""Lines of the rarest kinds of a piece that are all asked about."""
MAX_ODD = 100_000
"""Lines of a piece that are not plain; beyond that the general reader, asked about each, is the shorter way."""
_FIRST, _LAST = "1900-01-01", "2200-01-01"
"""Stamps outside are the general reader's: the two date libraries were compared inside."""
_TEXTS = ("building_code", "meter_id", "item_code", "reading_kind", "unit_text")
_NUMBERS = ("multiplier", "replaced_final", "replaced_start")


class NotTyped(Exception):
    """This text is for the general reader."""


@dataclass
class Typed:
    """A piece of the file as the table `lines`: one row per line that has the right number of cells.

    Lines count from the start of the file, `n_before` of them stand before this piece. `numbers[rowid]` is the
    line of a row; `odd` are lines that are not plain, whether in the table or not.
    """

    con: duckdb.DuckDBPyConnection
    plan: Plan
    index: Lines
    n_before: int
    numbers: Numbers
    odd: list[int]

    def texts(self, numbers: list[int]) -> list[str]:
        return self.index.texts(number - self.n_before for number in numbers)


def read(con: duckdb.DuckDBPyConnection, piece: Path, plan: Plan, n_before: int) -> Typed:
    """Type a piece; the header stands in the first one. Raises NotTyped."""
    n_head = 0 if n_before else plan.n_head
    for table in ("rejected", "rejected_scans", "lines"):
        con.execute(f"drop table if exists {table}")
    try:
        n_rows = con.execute(_query(plan, n_head), [str(piece)]).fetchall()[0][0]
    except duckdb.Error as error:
        raise NotTyped(str(error)) from error
    rejected = [row[0] for row in con.execute("select distinct line from rejected").fetchall()]
    index = Lines(piece)
    is_row = np.ones(len(index), dtype=bool)
    is_row[:n_head] = False
    is_row[index.blank - 1] = False
    is_row[np.array(rejected, dtype=np.int64) - 1] = False
    numbers = np.flatnonzero(is_row) + 1 + n_before
    if numbers.size != n_rows:
        raise NotTyped("lines and rows differ")
    found = con.execute(f"select rowid from lines where amount is null limit {MAX_ODD + 1}").fetchall()
    if len(found) + len(rejected) > MAX_ODD:
        raise NotTyped("too many lines are not plain")
    odd = [int(numbers[rowid]) for (rowid,) in found] + [line + n_before for line in rejected]
    return Typed(con, plan, index, n_before, numbers, sorted(odd))


def _query(plan: Plan, n_head: int) -> str:
    """A line is plain if its stamps can be read in the layout's forms and its amount says the digits that rest.

    The amount written out with four decimals must begin with the text: so it had no sign, exponent, blank,
    underscore or fifth decimal. Stamps of one form are typed while the text is cut, in that form and no other.
    """
    value = f"c{plan.value_column}"
    form = _only_form(plan)
    kinds = {f"c{number}": "VARCHAR" for number in range(1, plan.n_columns + 1)}
    stamps = {}
    for name, (number, forms) in plan.stamps.items():
        if form is None:
            stamps[name] = f"try_strptime(c{number}, [{', '.join(map(_text, forms))}])"
        else:
            stamps[name], kinds[f"c{number}"] = f"c{number}", "TIMESTAMP"
    plain = [
        f"starts_with(cast(number as varchar), {value})",
        "number >= 0",
        "number < 1000000000000",
        *(f"{name} >= timestamp '{_FIRST}' and {name} < timestamp '{_LAST}'" for name in stamps),
        *(f"c{number} is null" for number in plan.unnamed),
    ]
    taken = [f"c{number}" for number in plan.kinds] + [f"{text} as {name}" for name, text in stamps.items()]
    unnamed = [f"c{number}" for number in plan.unnamed]
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
    return f"""
        create temp table lines as
        select {", ".join([*(f"c{number}" for number in plan.kinds), *stamps])},
            case when {" and ".join(plain)} then number end as amount
        from (
            select {", ".join([*taken, *unnamed, value])}, try_cast({value} as decimal(18, 4)) as number
            from read_csv(?, auto_detect=false, header=false, skip={n_head}, delim={_text(plan.separator)},
                quote='', escape='', columns={{{columns}}}, {f"timestampformat={_text(form)}," if form else ""}
                store_rejects=true, rejects_table='rejected', rejects_scan='rejected_scans', rejects_limit=0)
        )
    """


def _only_form(plan: Plan) -> str | None:
    """The form of all stamps, if each may have this one alone and each column says one of them."""
    forms = {form for _, found in plan.stamps.values() for form in found}
    columns = {number for number, _ in plan.stamps.values()}
    return forms.pop() if len(forms) == 1 and len(columns) == len(plan.stamps) else None


@dataclass(frozen=True)
class Specimens:
    """Line → rowid of the first plain line of each kind, and of every line of the rarest kinds.

    What is rare is often refused, and then each of its lines has to be asked about.
    """

    of_kinds: dict[int, int]
    rare: dict[int, int]

    @property
    def all(self) -> dict[int, int]:
        return {**self.of_kinds, **self.rare}


def specimens(typed: Typed) -> Specimens:
    """Raises NotTyped."""
    names = [f"c{number}" for number in typed.plan.kinds]
    by_kind = f"group by {', '.join(names)}" if names else "having count(*) > 0"
    found = typed.con.execute(
        f"""create or replace temp table kinds as
        select {"".join(f"{name}, " for name in names)} min(rowid) as first_row, count(*) as n from lines
        where amount is not null {by_kind};
        select first_row, n from kinds order by n limit {MAX_KINDS + 1}"""
    ).fetchall()
    if len(found) > MAX_KINDS:
        raise NotTyped("too many kinds of lines")
    n_rare = bisect_right(list(accumulate(n for _, n in found)), MAX_RARE)
    rare = [row for row, _ in found[:n_rare]]
    if n_rare and found[n_rare - 1][1] > 1:
        chosen = ", ".join(map(str, rare))
        rare = _rows_of(typed, f"select * from kinds where first_row in ({chosen})")
    common = [row for row, _ in found[n_rare:]]
    return Specimens(*({int(typed.numbers[row]): row for row in rows} for rows in (common, rare)))


def _rows_of(typed: Typed, kinds: str) -> list[int]:
    """Rows of the plain lines of some kinds, given as a query. Comparing as equal what is never null takes half the time."""
    names = [f"c{number}" for number in typed.plan.kinds]
    has_null = ", ".join(f"bool_or({name} is null)" for name in names) or "false"
    nulls = typed.con.execute(f"select {has_null} from ({kinds})").fetchall()[0]
    same = " and ".join(
        f"lines.{name} {'is not distinct from' if is_null else '='} kinds.{name}"
        for name, is_null in zip(names, nulls, strict=False)
    )
    found = typed.con.execute(
        f"""select lines.rowid from lines semi join ({kinds}) as kinds on {same or "true"}
        where amount is not null"""
    )
    return [row for (row,) in found.fetchall()]


@dataclass
class Kinds:
    """What the general reader made of the specimens: one row of texts per kind.

    `lines`: those that were asked about and are as plain as they were typed. `singular`: the other lines of kinds
    that do not go by their specimen; they are asked about one by one.
    """

    rows: pl.DataFrame
    lines: pl.Series
    singular: list[int]


def learn(typed: Typed, found: Specimens, rows: pl.DataFrame, corrections: list[Correction]) -> Kinds:
    """Hold the answers against what was typed, and take lines of singular kinds out of the plain ones.

    Singular is a kind whose specimen was refused, for each line has its own place in quarantine, and one that a
    correction may touch, for that looks at the day. Raises NotTyped when an answer is not what was typed: then
    this module and the general reader disagree.
    """
    asked = found.all
    answers = rows.filter(pl.col("line").is_in(list(asked)))
    if answers["line"].is_duplicated().any():
        raise NotTyped("a line gave several readings")
    answers = answers.with_columns(row=pl.col("line").replace_strict(asked, return_dtype=pl.Int64)).sort(
        "line"
    )
    stamps = list(typed.plan.stamps)
    kinds = [f"c{number}" for number in typed.plan.kinds]
    typed.con.register("asked", answers.select("row").to_arrow())
    own = typed.con.sql(
        f"""select lines.rowid as row, {", ".join([*kinds, *(f"{name} as own_{name}" for name in stamps)])},
            amount as own_amount
        from lines semi join asked on lines.rowid = asked.row"""
    ).pl()
    typed.con.unregister("asked")
    told = answers.join(own, on="row", how="left", maintain_order="left")
    for name in stamps:
        if not told[name].equals(told[f"own_{name}"].cast(pl.Datetime("us"))):
            raise NotTyped("stamps differ")
    if list(map(Decimal, told["number_text"])) != told["own_amount"].to_list():
        raise NotTyped("amounts differ")
    touched = {(item.building, item.item) for item in corrections if item.is_of_meter}
    is_touched = pl.Series(
        [pair in touched for pair in told.select("building_code", "item_code").iter_rows()], dtype=pl.Boolean
    )
    told = told.filter(~is_touched)
    alone = set(asked) - set(told["line"].to_list())
    rows_out = {asked[line] for line in alone}
    common = rows_out & set(found.of_kinds.values())
    if common:
        chosen = ", ".join(map(str, sorted(common)))
        rows_out |= set(_rows_of(typed, f"select * from lines where rowid in ({chosen})"))
    if len(rows_out) + len(typed.odd) > MAX_ODD:
        raise NotTyped("too many lines are of singular kinds")
    _take_out(typed, rows_out)
    singular = sorted({int(typed.numbers[row]) for row in rows_out} - alone)
    one_each = told.unique(kinds, keep="first", maintain_order=True) if kinds else told.head(1)
    return Kinds(one_each, told["line"], singular)


def _take_out(typed: Typed, rows: set[int]) -> None:
    """These rows are plain no more."""
    if not rows:
        return
    typed.con.register("bad", pl.DataFrame({"row": sorted(rows)}, schema={"row": pl.Int64}).to_arrow())
    typed.con.execute("update lines set amount = null from bad where lines.rowid = bad.row")
    typed.con.unregister("bad")


def write(typed: Typed, kinds: Kinds, more: pl.DataFrame, file_id: str, path: Path) -> int:
    """Plain rows, and the `more` rows the general reader gave for lines that are not, in file order. Returns how many."""
    con, told = typed.con, kinds.rows
    shifts = typed.numbers - np.arange(typed.numbers.size)
    is_even = not shifts.size or bool(shifts[0] == shifts[-1])
    source, line = "lines", f"lines.rowid + {shifts[0] if shifts.size else 0}"
    if not is_even:
        con.register("places", pl.DataFrame({"line": typed.numbers}).to_arrow())
        source, line = "lines positional join places", "places.line"
    known = {f"c{number}" for number in typed.plan.kinds}
    values: dict[str, str | None] = {name: _same(told, name, known) for name in (*_TEXTS, *_NUMBERS)}
    values |= _spans(typed, told)
    is_by_kind = None in values.values()
    if is_by_kind:
        con.register("told", told.to_arrow())
        same = " and ".join(f"lines.{name} is not distinct from told.{name}" for name in sorted(known))
        source = f"({source}) join told on {same}"
    values |= {"file_id": _enum(file_id), "line": line, "column_number": str(typed.plan.value_column)}
    values |= {"is_second_pass": "null"}  # stamps of a zone are the general reader's
    values |= {name: f"lines.{name}" for name in (*typed.plan.stamps, "amount")}
    chosen = (_column(name, values[name] or f"told.{name}") for name in readings.COLUMNS)
    query = f"select {', '.join(chosen)} from {source} where lines.amount is not null"
    if more.height:
        con.register("more", more.to_arrow())
        query += f" union all {readings.typed('more')}"
    if more.height or is_by_kind:
        query += " order by line"
    return readings.write(con, query, path)


def _column(name: str, value: str) -> str:
    kind = readings.COLUMNS[name]
    is_constant_text = kind == "VARCHAR" and "::enum(" in value
    return f"{value} as {name}" if is_constant_text else f"cast({value} as {kind}) as {name}"


def _same(told: pl.DataFrame, name: str, known: set[str]) -> str | None:
    """The expression that gives a column for every kind: one text, or a column of the file as it is; else None."""
    texts = told[name]
    if texts.n_unique() <= 1:
        text = texts[0] if texts.len() else None
        return "null" if text is None else _enum(text)
    return next((f"lines.{column}" for column in sorted(known) if told[column].equals(texts)), None)


def _spans(typed: Typed, told: pl.DataFrame) -> dict[str, str | None]:
    """The end of a reading from its start, or the other way round, by the length its kind has."""
    both = ("starts_at", "ends_at")
    if set(both) <= set(typed.plan.stamps):
        return {}
    known = next(iter(typed.plan.stamps))
    other = both[1 - both.index(known)]
    spans = (told[other] - told[known]).dt.total_microseconds()
    if spans.n_unique() > 1:
        raise NotTyped("readings of several lengths")
    if not spans.len() or spans[0] is None:
        return {other: "null"}
    return {other: f"{known} + to_microseconds({spans[0]})"}


def _enum(text: str) -> str:
    """A text that is the same in every row; as a dictionary of one it costs next to nothing to write."""
    return f"{_text(text)}::enum({_text(text)})"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
