"""The layout language: one YAML file says how one file family is read, by edition.

Belongs here: the model and its validation. Does not belong here: reading layouts from folders (`layout_files`),
applying one to a table (`mapping`), finding which one fits (`recognition`), reading bytes (`readers`).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingestion.contracts.identity import digest
from ingestion.reading_rules import ReadingRules
from ingestion.sources import targets


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Strict):
    """A sentence in both languages."""

    zh: str
    en: str


def _compiled(pattern: str | None) -> str | None:
    if pattern is not None:
        re.compile(pattern)
    return pattern


Pattern = Annotated[str, Field(min_length=1)]


class FieldSpec(_Strict):
    """Where one field of a record comes from: exactly one of column, constant, path, sheet, label, element.

    `path` and `sheet` are patterns whose first group is taken; `label` is the text of a cell whose right
    neighbour holds the value (anywhere in the workbook, or on `on_sheet`).
    """

    column: str | list[str] | None = None
    constant: str | None = None
    path: Pattern | None = None
    sheet: Pattern | None = None
    label: str | None = None
    element: str | None = Field(
        default=None, description="XML: path of an element that holds for all records"
    )
    on_sheet: str | None = None
    kind: Literal["text", "integer", "number", "period", "year", "date", "datetime"] = "text"
    format: str | list[str] | None = Field(default=None, description="strptime form(s) of a date or datetime")
    zone: str | None = Field(default=None, description="the text says which moment; local time there is kept")
    whole_day: bool = Field(
        default=False, description="the text names the last day: the moment is its midnight"
    )
    clock: str | None = Field(default=None, description="zone of the clock that a text without offset shows")
    hour_24: bool = Field(default=False, description="24:00 of a day is 00:00 of the next")
    matches: Pattern | None = Field(default=None, description="what the whole text must look like")
    lookup: dict[str, str] | None = None
    optional: bool = False
    fill_down: bool = Field(default=False, description="a merged cell's value holds for every row it covers")

    _patterns = field_validator("path", "sheet", "matches")(_compiled)

    @model_validator(mode="after")
    def _formats_are_of_times(self) -> FieldSpec:
        if self.format is not None and self.kind not in ("date", "datetime", "year"):
            raise ValueError("format belongs to kind date, datetime or year")
        if self.whole_day and (self.kind != "datetime" or self.zone is not None):
            raise ValueError("whole_day belongs to kind datetime, without a zone")
        if (self.zone or self.clock or self.hour_24) and self.kind != "datetime":
            raise ValueError("zone, clock and hour_24 belong to kind datetime")
        if self.clock is not None and self.zone is None:
            raise ValueError("clock needs the zone whose local time is kept")
        return self

    @field_validator("zone", "clock")
    @classmethod
    def _zone_is_known(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, OSError) as error:
                raise ValueError(f"no time zone is called {zone}") from error
        return zone

    @model_validator(mode="after")
    def _one_origin(self) -> FieldSpec:
        given = [
            name
            for name in ("column", "constant", "path", "sheet", "label", "element")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(f"a field has exactly one origin, found {given or 'none'}")
        return self

    @property
    def column_names(self) -> list[str]:
        if self.column is None:
            return []
        return [self.column] if isinstance(self.column, str) else self.column


class UnitSpec(_Strict):
    """Where the unit of a value stands: a column, the brackets of the header, the unit row, or a constant.

    `document` takes it from a map inside a JSON document, keyed by item; `fields` from the record's fields,
    joined by a blank, through `lookup`.
    """

    column: str | None = None
    constant: str | None = None
    source: Literal["header", "unit_row", "document"] | None = None
    fields: list[str] | None = None
    lookup: dict[str, str] | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> UnitSpec:
        if sum(item is not None for item in (self.column, self.constant, self.source, self.fields)) != 1:
            raise ValueError("a unit has exactly one origin")
        if (self.fields is None) != (self.lookup is None):
            raise ValueError("a unit of fields needs a lookup, and no other has one")
        return self


class SlotSpec(_Strict):
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


class ValueSpec(_Strict):
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

    _patterns = field_validator("columns")(_compiled)

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


class IgnoreColumns(_Strict):
    columns: Pattern
    why: Text

    _patterns = field_validator("columns")(_compiled)


class IgnoreRows(_Strict):
    """Rows that are no records: a subtotal, a footnote. `stop` ends the table at the first such row."""

    column: str | None = None
    matches: Pattern
    why: Text
    stop: bool = False

    _patterns = field_validator("matches")(_compiled)


class UnnamedColumns(_Strict):
    """Cells behind the last header, or under an empty one, that are known and not read."""

    matches: Pattern
    why: Text

    _patterns = field_validator("matches")(_compiled)


class ShiftedRows(_Strict):
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

    _patterns = field_validator("expected")(_compiled)


class TableSpec(_Strict):
    """One table of a file: which sheet, where its header stands, what its columns mean."""

    target: str | None = Field(default=None, description="raw table; left out: the layout's")
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

    _patterns = field_validator("sheet", "header_at")(_compiled)

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
    def _slots_have_a_day(self) -> TableSpec:
        if any(value.slots for value in self.values):
            day = self.fields.get("day")
            if day is None or day.kind != "date":
                raise ValueError("slots need a field `day` of kind date")
        return self


class Recognise(_Strict):
    """What makes a file one of this family: columns it must have, and, where names are fixed, its path."""

    path: str | None = Field(default=None, description="glob on the path below the source folder")
    columns: list[str] = Field(default_factory=list)
    without: list[str] = Field(default_factory=list, description="columns that only another edition has")
    values: dict[str, str] = Field(
        default_factory=dict,
        description="pattern on what stands there: JSON by top-level key, otherwise by column, on the first record",
    )


class IgnoreSheets(_Strict):
    sheets: Pattern
    why: Text

    _patterns = field_validator("sheets")(_compiled)


class Layout(_Strict):
    """How one file family and edition is read."""

    id: str
    title: Text
    source: str
    target: str = Field(description="raw table of the source that the rows go to")
    form: str
    edition: str
    kind: Literal["delimited", "workbook", "json", "xml"]
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

    @model_validator(mode="after")
    def _readings_have_a_kind(self) -> Layout:
        if (self.target == "readings") != (self.reading_kind is not None):
            raise ValueError("reading_kind belongs to readings, and readings need one")
        if self.readings is not None and self.reading_kind is None:
            raise ValueError("readings: belongs to a layout of readings")
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
        return digest(self.model_dump(mode="json"))
