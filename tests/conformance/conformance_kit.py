"""The cases of the conformance kit, the arithmetic of their workings, and the comparison with a system's answers.

Belongs here: reading `cases/*/*.csv`, exact evaluation of a working, judging answers, the command that does so.
Does not belong here: anything of the product. Only Python's standard library is used, so that a stranger can run
`python tests/conformance/conformance_kit.py answers.csv` against any system.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation, localcontext
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).resolve().parent
MISSING = "missing"
"""The answer of a figure that is not known: never zero, never left out."""
TOLERANCE = Fraction(1, 10**12)
"""Largest relative difference of a ratio; amounts, standard coal and emissions must be exact."""
TABLES = ("inputs", "register", "regions", "green_power", "inventory", "expected")
Row = dict[str, str]
Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Figure:
    """How the answers of one figure are compared: `exact`, `ratio` or `text`."""

    name: str
    compare: str
    unit: str


@dataclass
class Case:
    """One rule with its input rows and the answers that follow from it."""

    id: str
    kind: str
    rule: str
    profile: str
    as_of: str
    source: str
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES})

    @property
    def world(self) -> tuple[str, str]:
        """Cases of one profile and one as-of date can be computed together."""
        return self.profile, self.as_of


def rows(path: Path) -> Iterator[Row]:
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as handle:
            yield from csv.DictReader(handle)


def figures() -> dict[str, Figure]:
    return {
        row["figure"]: Figure(row["figure"], row["compare"], row["unit"])
        for row in rows(HERE / "figures.csv")
    }


def cases(kinds: Iterable[str] = ()) -> list[Case]:
    """All cases, or those of some kinds (folders of `cases/`), in the order of their files."""
    wanted = set(kinds)
    found: dict[str, Case] = {}
    for folder in sorted(path for path in (HERE / "cases").iterdir() if path.is_dir()):
        if wanted and folder.name not in wanted:
            continue
        for row in rows(folder / "cases.csv"):
            case = Case(row["case"], folder.name, row["rule"], row["profile"], row["as_of"], row["source"])
            if case.id in found:
                raise ValueError(f"case {case.id} stands twice")
            found[case.id] = case
        for table in TABLES:
            for row in rows(folder / f"{table}.csv"):
                found[row["case"]].rows[table].append(row)
    return list(found.values())


def exact(text: str) -> Fraction | None:
    """The number a text says, or nothing where it says none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return Fraction(number) if number.is_finite() else None


_REMARK = re.compile(r"\[[^\]]*\]")
_SQRT_DIGITS = 10**40


def _sqrt(value: Fraction) -> Fraction:
    """To forty digits by integers: a working with a root is compared as a ratio."""
    from math import isqrt

    return Fraction(isqrt(value.numerator * _SQRT_DIGITS**2 // value.denominator), _SQRT_DIGITS)


def _to_fifty_digits(function: Callable[[Decimal], Decimal]) -> Callable[..., Fraction]:
    """A logarithm or its inverse, for workings that are compared with some room."""

    def evaluated(value: Fraction) -> Fraction:
        with localcontext(prec=50):
            return Fraction(function(Decimal(value.numerator) / Decimal(value.denominator)))

    return evaluated


def _half_up(value: Fraction, digits: Fraction) -> Fraction:
    scale = Fraction(10) ** int(digits)
    size = (abs(value) * scale + Fraction(1, 2)).__floor__() / scale
    return size if value >= 0 else -size


_FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "sqrt": _sqrt, "ln": _to_fifty_digits(Decimal.ln), "exp": _to_fifty_digits(Decimal.exp), "half_up": _half_up,
    "max": max, "min": min,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def worked(text: str) -> Fraction:
    """The exact value of a working: numbers, + - * / ( ), sqrt(x), ln(x), exp(x), half_up(x, digits), remarks
    in [brackets].

    Raises ValueError for anything else.
    """
    plain = _REMARK.sub(" ", text)
    return _value(ast.parse(plain.strip(), mode="eval").body, plain.strip())


def _value(node: ast.expr, text: str) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        # the digits as they stand: 0.1 is a tenth
        return Fraction(ast.get_source_segment(text, node) or "")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, text)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, text), _value(node.right, text))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        return _FUNCTIONS[node.func.id](*[_value(item, text) for item in node.args])
    raise ValueError(f"not arithmetic: {text!r}")


def expected(row: Row, figure: Figure) -> str | Fraction:
    """What a row of `expected.csv` asks for: a text, or a number as its working gives it."""
    if figure.compare == "text" or row["expected"] == MISSING:
        return row["expected"]
    return (
        worked(row["working"]) if figure.compare == "ratio" and row["working"] else Fraction(row["expected"])
    )


def room(row: Row, figure: Figure, wanted: Fraction) -> Fraction:
    """How far an answer may lie from the expected number: `within` of the row, the tolerance of a ratio, else nothing."""
    if row.get("within"):
        return Fraction(row["within"])
    return abs(wanted) * TOLERANCE if figure.compare == "ratio" else Fraction(0)


def fits(answer: str | None, row: Row, figure: Figure) -> bool:
    """Whether an answer is the expected one."""
    if answer is None:
        return False
    wanted = expected(row, figure)
    if isinstance(wanted, str):
        return answer == wanted
    got = exact(answer)
    if got is None:
        return False
    return abs(got - wanted) <= room(row, figure, wanted)


@dataclass(frozen=True)
class Difference:
    """One expected figure that a system did not give."""

    case: Case
    row: Row
    answer: str | None

    def __str__(self) -> str:
        where = " ".join(part for part in (self.row["subject"], self.row["year"]) if part)
        got = "no answer" if self.answer is None else self.answer
        return (
            f"{self.case.id} ({self.case.kind}) {where} {self.row['figure']}: expected {self.row['expected']}, got {got}"
            f"\n    {self.case.rule}\n    {self.row['working']}"
        )


def key(row: Row) -> Key:
    return row["case"], row["subject"], row["year"], row["figure"]


def differences(found: dict[Key, str], asked: Iterable[Case]) -> list[Difference]:
    """Every expected figure whose answer is missing or another one."""
    known = figures()
    return [
        Difference(case, row, found.get(key(row)))
        for case in asked
        for row in case.rows["expected"]
        if not fits(found.get(key(row)), row, known[row["figure"]])
    ]


def read_answers(path: Path) -> dict[Key, str]:
    """`answers.csv`: case, subject, year, figure, answer."""
    return {key(row): row["answer"] for row in rows(path)}


def write_answers(path: Path, answers: dict[Key, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["case", "subject", "year", "figure", "answer"])
        writer.writerows((*where, answer) for where, answer in sorted(answers.items()))


def main(arguments: list[str]) -> int:
    """Judge a file of answers, all kinds or those named; 0 when every case is met, 1 when not, 2 on wrong use."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: conformance_kit.py ANSWERS.csv [KIND …]", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    asked = cases(arguments[1:])
    if not path.is_file() or not asked:
        print(f"no such {'file' if not path.is_file() else 'kind'}: {' '.join(arguments)}", file=sys.stderr)
        return 2
    wrong = differences(read_answers(path), asked)
    for item in wrong:
        print(item)
    failed = {item.case.id for item in wrong}
    for kind in sorted({case.kind for case in asked}):
        of_kind = [case for case in asked if case.kind == kind]
        print(f"{kind}: {sum(case.id not in failed for case in of_kind)} of {len(of_kind)} cases")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
