"""The layout language: one YAML file says how one file family is read, by edition.

Belongs here: the model and its validation. Does not belong here: reading layouts from folders (`files`),
applying one to a table (`mapping`), finding which one fits (`recognition`), reading bytes (`readers`).
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from lxml import etree
from pydantic import Field, field_validator, model_validator

from ingestion.layouts.fields import FieldSpec, Pattern, Strict, UnitSpec
from ingestion.layouts.patterns import compiled
from ingestion.layouts.reading import ReadingRules
from ingestion.sources import targets


class Text(Strict):
    """A sentence in both languages."""

    zh: str
    en: str


class SlotSpec(Strict):
    """Columns that are the intervals of one day, the record's field `day`: a value's time from its column.

    `named_by`: the pattern's group `time` (HH:MM) is the `start` or the `end` of the interval, its group
    `slot` is the interval's `number` from 1, or the `order` of the columns says it and the day is complete.
    An interval that ends at 00:00 or 24:00 ends with the day.
    """

    minutes: int = Field(gt=0, le=1440)
    named_by: Literal["start", "end", "number", "order"]

    @field_validator("minutes")
    @classmethod
    def _divides_the_day(cls, minutes: int) -> int:
        if 1440 % minutes:
            raise ValueError("the intervals of a day have one length")
        return minutes

    @property
    def group(self) -> str | None:
        """The named group that the pattern of the columns must have."""
        return {"start": "time", "end": "time", "number": "slot", "order": None}[self.named_by]


class ValueSpec(Strict):
    """Value columns and the item code of each. `columns` is a pattern on the whole column name.

    `item` is a constant, may use the pattern's groups (`\\g<code>`), or `{field}` of the record.
    A named group of the pattern that is a field of the target replaces the record's own; `fields` gives
    texts for others, which may use the groups too; `year_offset` is added to the year (同期 is -1).
    """

    columns: Pattern
    item: str
    unit: UnitSpec
    slots: SlotSpec | None = None
    fields: dict[str, str] = Field(
        default_factory=dict, description="field → text that holds for these columns"
    )
    year_offset: int = 0
    nothing: list[str] = Field(default_factory=list, description="texts that stand for no value, such as nan")
    net: bool = Field(default=False, description="net of what was passed on or fed back: may be negative")
    lookup: dict[str, str] | None = None

    _patterns = field_validator("columns")(compiled)

    @model_validator(mode="after")
    def _slots_find_their_group(self) -> ValueSpec:
        group = self.slots.group if self.slots else None
        if group is not None and group not in re.compile(self.columns).groupindex:
            raise ValueError(f"slots need a group named {group!r} in the pattern of the columns")
        return self

    @property
    def is_wide(self) -> bool:
        """Whether one record holds several readings: of one day, or of several meters."""
        return self.slots is not None or bool(
            {"meter_id", "building_code"} & set(re.compile(self.columns).groupindex)
        )


class IgnoreColumns(Strict):
    columns: Pattern
    why: Text

    _patterns = field_validator("columns")(compiled)


class IgnoreRows(Strict):
    """Rows that are no records: a subtotal, a footnote. `stop` ends the table at the first such row."""

    column: str | None = None
    matches: Pattern
    why: Text
    stop: bool = False

    _patterns = field_validator("matches")(compiled)


class UnnamedColumns(Strict):
    """Cells behind the last header, or under an empty one, that are known and not read."""

    matches: Pattern
    why: Text

    _patterns = field_validator("matches")(compiled)


class ShiftedRows(Strict):
    """Rows whose cells moved right because an unquoted separator split one text: joined again, moved back.

    A row is shifted when the cell of `where` does not match `expected` and its right neighbour does. The cell
    of `column` takes its right neighbour's text behind `joined_by`, and the cells after it up to `until` move
    one column left, so that `until` ends up empty; without `until` the whole rest of the row moves.
    """

    where: str
    expected: Pattern
    column: str
    until: str | None = None
    joined_by: str = ","
    why: Text

    _patterns = field_validator("expected")(compiled)


class TableSpec(Strict):
    """One table of a file: which sheet, where its header stands, what its columns mean."""

    target: str | None = Field(default=None, description="raw table; left out: the layout's")
    optional: bool = Field(default=False, description="a file may come without this table")
    sheet: Pattern | None = Field(default=None, description="pattern on the sheet name; null: the only sheet")
    header_at: Pattern | None = Field(
        default=None, description="pattern on a cell; `header_rows` and `unit_row` count from its first line"
    )
    header_rows: list[int] = Field(
        default_factory=lambda: [1], description="empty: no header, columns are named by their number"
    )
    header_separator: str = "|"
    headers: dict[str, list[str]] = Field(
        default_factory=dict, description="column name → other words that its header may have"
    )
    unit_row: int | None = None
    records: str | None = Field(default=None, description="JSON key or XML path of the repeated record")
    paths: dict[str, str] = Field(
        default_factory=dict, description="XML: name of a further column → XPath from the record"
    )
    units_at: str | None = Field(default=None, description="JSON key of the map item → unit")
    fields: dict[str, FieldSpec]
    values: list[ValueSpec] = Field(default_factory=list)
    ignore_columns: list[IgnoreColumns] = Field(default_factory=list)
    ignore_rows: list[IgnoreRows] = Field(default_factory=list)
    unnamed_columns: UnnamedColumns | None = None
    shifted_rows: list[ShiftedRows] = Field(default_factory=list)
    nothing: list[str] = Field(default_factory=list, description="texts that stand for an empty cell")
    interval_minutes: int | None = Field(default=None, gt=0)
    ends_at_next: bool = Field(default=False, description="a reading ends where the next of its meter starts")
    institution_found_by: list[
        Literal["institution_name", "region_code", "address", "postcode", "former_id"]
    ] = Field(default_factory=list, description="fields that tell which entry of the register a record means")

    _patterns = field_validator("sheet", "header_at")(compiled)

    @field_validator("paths")
    @classmethod
    def _paths_are_xpath(cls, paths: dict[str, str]) -> dict[str, str]:
        for name, path in paths.items():
            try:
                etree.XPath(path)
            except etree.XPathSyntaxError as error:
                raise ValueError(f"{name}: {error}") from error
        return paths

    @field_validator("headers")
    @classmethod
    def _words_mean_one_column(cls, headers: dict[str, list[str]]) -> dict[str, list[str]]:
        words = [word for others in headers.values() for word in others] + list(headers)
        if len(set(words)) < len(words):
            raise ValueError("a word stands for one column only")
        return headers

    @property
    def column_of_word(self) -> dict[str, str]:
        """Word in a header → column name."""
        return {word: name for name, others in self.headers.items() for word in others}

    @model_validator(mode="after")
    def _found_by_fields_of_its_own(self) -> TableSpec:
        strange = [name for name in self.institution_found_by if name not in self.fields]
        key = self.fields.get("institution_id")
        if strange or (self.institution_found_by and key is not None and not key.optional):
            raise ValueError(f"institution_found_by names fields of the table, beside an optional key: {strange}")
        return self

    @model_validator(mode="after")
    def _measured_fields_are_numbers(self) -> TableSpec:
        for name, item in self.fields.items():
            unit, is_one = item.unit, item.kind == "number" and name.endswith("_text")
            if unit is not None and (not is_one or unit.fields or unit.source == "document"):
                raise ValueError(
                    f"{name}: only a number …_text has a unit, in a column, header, row or constant"
                )
        return self

    @model_validator(mode="after")
    def _slots_have_a_day(self) -> TableSpec:
        if any(value.slots for value in self.values):
            day = self.fields.get("day")
            if day is None or day.kind != "date":
                raise ValueError("slots need a field `day` of kind date")
        return self


class Recognise(Strict):
    """What makes a file one of this family: columns it must have, and, where names are fixed, its path."""

    path: str | None = Field(default=None, description="glob on the path below the source folder")
    columns: list[str] = Field(default_factory=list)
    without: list[str] = Field(default_factory=list, description="columns that only another edition has")
    values: dict[str, str] = Field(
        default_factory=dict,
        description="pattern on what stands there: JSON by top-level key, otherwise by column, on the first record",
    )

    @model_validator(mode="after")
    def _patterns(self) -> Recognise:
        for pattern in (*self.columns, *self.without, *self.values.values()):
            compiled(pattern)
        return self


class IgnoreSheets(Strict):
    sheets: Pattern
    why: Text

    _patterns = field_validator("sheets")(compiled)


class Layout(Strict):
    """How one file family and edition is read."""

    id: str
    title: Text
    source: str
    target: str = Field(description="raw table of the source that the rows go to")
    form: str
    edition: str
    kind: Literal["delimited", "workbook", "grid", "json", "xml"]
    separator: str | None = None
    recognise: Recognise
    tables: list[TableSpec] = Field(min_length=1)
    ignore_sheets: list[IgnoreSheets] = Field(default_factory=list)
    institution_id_scheme: str = "uscc"
    family: str | None = Field(
        default=None, description="layouts of one return; left out: a family of its own"
    )
    record_kind: Literal["return", "operation"] = "return"
    reading_kind: Literal["interval", "register"] | None = None
    readings: ReadingRules | None = None
    name_says: Pattern | None = Field(
        default=None,
        description="pattern on the path whose groups node, day and hour the readings must bear out",
    )

    _patterns = field_validator("name_says")(compiled)

    @model_validator(mode="after")
    def _readings_have_a_kind(self) -> Layout:
        if (self.target == "readings") != (self.reading_kind is not None):
            raise ValueError("reading_kind belongs to readings, and readings need one")
        if (self.readings or self.name_says) is not None and self.reading_kind is None:
            raise ValueError("readings and name_says belong to a layout of readings")
        groups = set(re.compile(self.name_says or "(?P<day>)").groupindex)
        if not groups or groups - {"node", "day", "hour"} or groups == {"hour"}:
            raise ValueError(
                "name_says has the groups node, day (yyyymmdd) and hour (of a day), at least one of the first two"
            )
        if not self.recognise.columns and not self.recognise.values:
            raise ValueError("a layout recognises files by columns or values, never by name alone")
        return self

    @model_validator(mode="after")
    def _readings_are_one_table(self) -> Layout:
        if "readings" in map(self.target_of, self.tables) and len(self.tables) != 1:
            raise ValueError("readings come from one table, so that line and column say which reading it is")
        return self

    @model_validator(mode="after")
    def _targets_are_known(self) -> Layout:
        known = sorted(targets(self.source))
        found = {self.target_of(table) for table in self.tables if table.institution_found_by}
        if found and (self.source not in ("direct_report", "energy_audit") or "bills" in found):
            raise ValueError("institution_found_by belongs to returns and audits, whose records have an institution_id")
        unknown = {self.target, *map(self.target_of, self.tables)} - set(known)
        if unknown:
            raise ValueError(f"source {self.source} has the targets {known}, found {sorted(unknown)}")
        return self

    def target_of(self, table: TableSpec) -> str:
        """The raw table that one table of the file goes to."""
        return table.target or self.target

    @property
    def counts_cells(self) -> bool:
        """Whether the row ledger follows single cells: one record gives several values or readings."""
        return (
            self.target != "readings"
            or self.kind in ("workbook", "json")
            or any(value.is_wide for value in self.tables[0].values)
        )

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
