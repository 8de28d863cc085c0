"""What a planted defect is, and hands to plant with.

Belongs here: the record of a defect as `truth/defects.csv` lists it, the world under change. Does not belong
here: which defects there are (defective, blocking).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from examples.district.generator import buildings, direct_report
from examples.district.generator.dice import Dice
from examples.district.generator.files import Document, Grid, Landing, Workbook, column_letters
from examples.district.generator.institutions import Institution


@dataclass(frozen=True)
class Defect:
    """`kind`: mended (the figure is as in the clean world), flagged (loaded and warned), blocking.

    `line` is 1-based in the file; for a JSON file the ordinal of the document. `expected_value` is what must
    be published for `figure` in that world; empty text is null.
    """

    defect_id: str
    world: str
    kind: str
    rule_id: str
    path: str
    description_zh: str
    description_en: str
    sheet: str = ""
    line: int | None = None
    cell: str = ""
    institution_id: str = ""
    building_code: str = ""
    item_code: str = ""
    year: int | None = None
    clean_value: str = ""
    expected_value: str = ""
    figure: str = ""


@dataclass
class World:
    """A copy of the clean landing that defects change, with whom they have hit already."""

    name: str
    institutions: list[Institution]
    landing: Landing
    defects: list[Defect] = field(default_factory=list)
    corrections: list[dict[str, str | int | None]] = field(default_factory=list)
    overrides: list[dict[str, str | int | None]] = field(default_factory=list)
    hit: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, name: str, institutions: list[Institution], clean: Landing) -> World:
        return cls(name, institutions, copy.deepcopy(clean))

    def grid(self, path: str) -> Grid:
        found = self.landing[path]
        assert isinstance(found, Grid)
        return found

    def document(self, path: str) -> Document:
        found = self.landing[path]
        assert isinstance(found, Document)
        return found

    def workbook(self, path: str) -> Workbook:
        found = self.landing[path]
        assert isinstance(found, Workbook)
        return found

    def lines_of(self, institution: Institution) -> list[int]:
        """Lines of the f file that belong to an institution."""
        rows = self.grid(direct_report.F_2021).lines
        return [n for n, row in enumerate(rows, 1) if row[0] == institution.institution_id]

    def annual_in_f(self, *, uses: str, low: str, high: str) -> Institution:
        """An institution not hit yet with one annual row in the f file, electricity of the year in a range (kWh).

        Taken by chance from the world's own stream, so that no defect picks its victim by hand.
        """
        dice = Dice(f"victims of {self.name} {len(self.hit)}")
        fitting = [
            item
            for item in self.institutions
            if item.institution_id not in self.hit
            and len(self.lines_of(item)) == 1
            and uses in item.carriers
            and float(low) <= item.annual[2021]["110"] <= float(high)
        ]
        return self.mark(dice.pick(fitting))

    def monthly_in_f(self) -> Institution:
        dice = Dice(f"victims of {self.name} {len(self.hit)}")
        fitting = [
            item
            for item in self.institutions
            if item.institution_id not in self.hit and len(self.lines_of(item)) == 12
        ]
        return self.mark(dice.pick(fitting))

    def mark(self, institution: Institution) -> Institution:
        self.hit.add(institution.institution_id)
        return institution

    def f_cell(self, item_code: str, line: int) -> tuple[int, str]:
        """Column number and A1 name of an item's cell in the f file."""
        column = self.grid(direct_report.F_2021).column(f"f{item_code}")
        return column, f"{column_letters(column)}{line}"

    def register_lines(self, building_code: str, year: int) -> list[int]:
        """Lines of a building's electricity register in a year's file, in order of time."""
        grid = self.grid(f"metering/registers_{year}.csv")
        at, item = grid.column("建筑代码") - 1, grid.column("分项编码") - 1
        return [
            n
            for n, row in enumerate(grid.lines, 1)
            if row[at] == building_code and row[item] == buildings.ITEM_ELECTRICITY
        ]
