"""Fields of the layout language: where a text, or the unit of a number, stands in a file.

Belongs here: `FieldSpec` and `UnitSpec`. Does not belong here: tables and whole layouts (`model`).
"""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingestion.layouts.patterns import compiled


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Pattern = Annotated[str, Field(min_length=1)]


def unit_name(measured: str) -> str:
    """The column that holds the unit of a measured field: `floor_area_text` → `floor_area_unit`."""
    return measured.removesuffix("_text") + "_unit"


class UnitSpec(Strict):
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


class FieldSpec(Strict):
    """Where one field of a record comes from: exactly one of column, constant, path, sheet, cell, label, element.

    `path`, `sheet` and `cell` (of the same sheet) are patterns whose first group is taken; `label` is the text of
    a cell whose right neighbour holds the value (anywhere, or on `on_sheet`). `unit` of `a_text` fills `a_unit`.
    """

    column: str | list[str] | None = None
    constant: str | None = None
    path: Pattern | None = None
    sheet: Pattern | None = None
    cell: Pattern | None = None
    label: str | None = None
    element: str | None = Field(default=None, description="XML: path of an element, for all records")
    on_sheet: str | None = None
    kind: Literal["text", "integer", "number", "period", "year", "date", "datetime"] = "text"
    format: str | list[str] | None = Field(default=None, description="strptime form(s) of a date or datetime")
    zone: str | None = Field(default=None, description="the text says which moment; local time there is kept")
    whole_day: bool = Field(
        default=False, description="the text names the last day: the moment is its midnight"
    )
    clock: str | None = Field(default=None, description="zone of the clock that a text without offset shows")
    hour_24: bool = Field(default=False, description="24:00 of a day is 00:00 of the next")
    part: Pattern | None = Field(default=None, description="pattern whose first group is what counts of a text")
    matches: Pattern | None = Field(default=None, description="what the whole text must look like")
    lookup: dict[str, str] | None = None
    optional: bool = False
    otherwise: FieldSpec | None = Field(default=None, description="where to look when this one gives nothing")
    fill_down: bool = Field(default=False, description="a merged cell's value holds for every row it covers")
    unit: UnitSpec | None = Field(default=None, description="of a measured `…_text`: where its unit stands")

    _patterns = field_validator("path", "sheet", "cell", "part", "matches")(compiled)

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
            for name in ("column", "constant", "path", "sheet", "cell", "label", "element")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(f"a field has exactly one origin, found {given or 'none'}")
        return self

    @property
    def column_names(self) -> list[str]:
        return [self.column] if isinstance(self.column, str) else self.column or []

    @property
    def origins(self) -> list[FieldSpec]:
        """This one and those that follow it where it gives nothing."""
        return [self, *(self.otherwise.origins if self.otherwise else [])]
