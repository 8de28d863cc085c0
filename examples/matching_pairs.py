"""Pairs with known answers for matching: invented institutions and what people make of their names, from a seed.

Belongs here: the register, the damaged rows and which entry each means. Used by tests and benchmarks; nothing here is
taken from a real register. Does not belong here: matching itself.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ingestion.matching.names import Region

_FIRST = "碧芦云枫兰荷松梅桂柳菱苇青白金华东西南北安和永丰"
_SECOND = "塘湾桥浜渡汀洲圩溪泉岭坪关陵原川"
_NUMERALS = "一二三四五六七八九"
_SCHOOLS = ("小学", "中学", "幼儿园")
_BUREAUS = {
    "教育局": "教委",
    "财政局": "财政局",
    "卫生健康委员会": "卫健委",
    "人力资源和社会保障局": "人社局",
    "发展和改革委员会": "发改委",
    "市场监督管理局": "市监局",
    "住房和城乡建设局": "住建局",
    "文化和旅游局": "文旅局",
    "生态环境局": "环保局",
    "农业农村局": "农业农村局",
    "统计局": "统计局",
    "审计局": "审计局",
}
_OF_TOWNS = {
    "中心小学": "中心校",
    "中心幼儿园": "中心幼儿园",
    "社区卫生服务中心": "社卫中心",
    "人民政府": "政府",
}


@dataclass(frozen=True)
class Institution:
    """One invented institution; `head` stands before `own` in its full name."""

    institution_id: str
    province: str
    district: Region
    town: Region
    own: str
    street: str
    house: int
    short: str | None = None
    parent_id: str | None = None
    head: str = "district"

    @property
    def name(self) -> str:
        return (self.town.name if self.head == "town" else self.district.name) + self.own

    @property
    def address(self) -> str:
        return f"{self.district.name}{self.town.name}{self.street}{self.house}号"


@dataclass
class Pairs:
    """`rows` and the entry that each means, None for a stranger."""

    register: pl.DataFrame
    rows: pl.DataFrame
    meant: dict[int, str | None]
    regions: list[Region] = field(default_factory=list)


def chinese(n: int, seed: int = 2026) -> Pairs:
    """A register of n institutions, and rows as people write them: a tenth missing, a tenth of strangers, shuffled."""
    draw = random.Random(seed)
    regions, drawn = _institutions(n + n // 10, draw)
    draw.shuffle(drawn)
    entries, strangers = drawn[:n], drawn[n:]
    parents = {item.institution_id: item for item in drawn}
    kept = draw.sample(entries, n - n // 10)
    rows = [(_damaged(item, parents, draw), item.institution_id) for item in kept]
    rows += [(_damaged(item, parents, draw), None) for item in strangers]
    draw.shuffle(rows)
    return Pairs(
        register=pl.DataFrame(
            [
                (item.institution_id, item.name, item.town.code, item.address, item.parent_id)
                for item in entries
            ],
            schema=["institution_id", "institution_name", "region_code", "address", "parent_id"],
            orient="row",
        ),
        rows=pl.DataFrame(
            [(number, *row) for number, (row, _) in enumerate(rows)],
            schema={
                "row_id": pl.Int64,
                **dict.fromkeys(("institution_name", "region_code", "address"), pl.String),
            },
            orient="row",
        ),
        meant={number: meant for number, (_, meant) in enumerate(rows)},
        regions=regions,
    )


def _institutions(n: int, draw: random.Random) -> tuple[list[Region], list[Institution]]:
    """Districts of some 200 institutions in ten towns each; no two full names are the same."""
    words = [first + second for first in _FIRST for second in _SECOND]
    draw.shuffle(words)
    regions, drawn = [Region("990000", "云江省")], list[Institution]()
    streets = [word + kind for word in words for kind in ("路", "街", "大道")]
    for at in range(-(-n // 200)):
        code = f"99{at // 90 + 1:02d}{at % 90 + 10:02d}"
        district = Region(code, words[at] + "区")
        town_names = draw.sample([word for word in words if word != words[at]], 10)
        towns = [Region(f"{code}{100 + k}", f"{name}镇") for k, name in enumerate(town_names)]
        regions += [district, *towns]
        free = [word for word in words if word not in town_names and word != words[at]]
        drawn += _of_district(district, towns, draw.sample(free, 150), draw.sample(streets, 60), draw)
    return regions, drawn[:n]


def _of_district(
    district: Region, towns: list[Region], words: list[str], streets: list[str], draw: random.Random
) -> list[Institution]:
    found: list[Institution] = []

    def add(
        own: str, town: Region, short: str | None = None, parent: str | None = None, head: str = "district"
    ) -> None:
        key = f"{district.code}{len(found):04d}"
        found.append(
            Institution(
                key,
                "云江省",
                district,
                town,
                own,
                draw.choice(streets),
                draw.randrange(1, 900),
                short,
                parent,
                head,
            )
        )

    for own, short in _BUREAUS.items():
        add(own, towns[0], short)
    education, health = found[0].institution_id, found[2].institution_id
    for town in towns:
        for own, short in _OF_TOWNS.items():
            parent = None if own == "人民政府" else health if "卫生" in own else education
            add(own, town, short, parent, "town")
    for kind in _SCHOOLS:
        for number in range(draw.randrange(5, 10)):
            add(
                f"第{_NUMERALS[number]}{kind}", draw.choice(towns), f"{_NUMERALS[number]}{kind[0]}", education
            )
    for street in draw.sample(streets, 8):
        add(f"{street}小学", draw.choice(towns), None, education)
    for kind in ("小学", "中学"):
        add(f"实验{kind}", draw.choice(towns), f"实{kind[0]}" if kind == "小学" else None, education)
    while len(found) < 200:
        word = words[len(found) % len(words)]
        own = word + draw.choice(("小学", "中学", "幼儿园", "医院", "敬老院", "二〇小学", "小学(东校区)"))
        if all(item.own != own for item in found):
            add(own, draw.choice(towns), None, education)
    return found


def _damaged(
    item: Institution, parents: dict[str, Institution], draw: random.Random
) -> tuple[str, str | None, str | None]:
    """Name, region and address of a row that means this institution, as somebody would write them."""
    head = item.town if item.head == "town" else item.district
    heads = [
        f"{item.province}{item.district.name}{head.name if item.head == 'town' else ''}",
        head.name,
        head.name[:-1],
        f"{item.district.name}{head.name if item.head == 'town' else ''}",
        "",
    ]
    own = item.short if item.short and draw.random() < 0.5 else item.own
    if draw.random() < 0.3:
        own = own.replace("二〇", "20").replace("(", "（").replace(")", "）")
    name = draw.choices(heads, weights=(3, 4, 3, 2, 1))[0] + own
    region = item.town.code if draw.random() < 0.6 else item.district.code if draw.random() < 0.5 else None
    address: str | None = draw.choice(
        (
            item.address,
            f"{item.street}{item.house}号",
            f"{item.street}{item.house}",
            f"{item.town.name}{item.street}{item.house} 号",
        )
    )
    if draw.random() < 0.3:
        address = None
    chance = draw.random()
    parent = parents.get(item.parent_id or "")
    if chance < 0.02:
        at = draw.randrange(len(name) - 1)
        name = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    elif parent and chance < 0.05:
        name = f"{parent.name}（{item.own}）"
    elif parent and chance < 0.08:
        name, address = parent.name, item.address
    elif item.own.startswith("第") and chance < 0.14:
        name, address = f"{item.district.name}{item.street}{item.own[2:]}", item.address
    elif chance < 0.20:
        name = f"{name[:4]} {name[4:]}"
    return name, region, address


def portfolio(path: Path, seed: int = 2026) -> Pairs:
    """The sample of a portfolio manager against a copy of it that lost its ids and was typed again by people."""
    draw = random.Random(seed)
    with path.open(encoding="utf-8-sig", newline="") as handle:
        properties = list(csv.DictReader(handle))
    kept = draw.sample(properties, len(properties) - len(properties) // 10)
    rows: list[tuple[str, str | None, str | None]] = [
        (_typed_again(item["Address 1"], draw), _postcode(item, draw), item["Property Id"]) for item in kept
    ]
    streets = [item["Address 1"].split(" ", 1)[1] for item in properties]
    for _ in range(len(properties) // 10):
        house = draw.randrange(1_000, 250_000)
        rows.append(
            (_typed_again(f"{house} {draw.choice(streets)}", draw), f"1010{draw.randrange(10)}", None)
        )
    draw.shuffle(rows)
    return Pairs(
        register=pl.DataFrame(
            {
                "institution_id": [item["Property Id"] for item in properties],
                "address": [item["Address 1"] for item in properties],
                "postcode": [item["Postal Code"] for item in properties],
            }
        ),
        rows=pl.DataFrame(
            [(number, address, postcode) for number, (address, postcode, _) in enumerate(rows)],
            schema={"row_id": pl.Int64, "address": pl.String, "postcode": pl.String},
            orient="row",
        ),
        meant={number: meant for number, (_, _, meant) in enumerate(rows)},
    )


_ABBREVIATED = {
    "Avenue": "Ave", "Boulevard": "Blvd", "Court": "Ct", "Highway": "Hwy", "Lane": "Ln", "Road": "Rd", "Street": "St.",
}  # fmt: skip


def _typed_again(address: str, draw: random.Random) -> str:
    """The kind of street abbreviated, or two neighbouring letters of a word exchanged, or both."""
    words = address.lstrip("0").split(" ")
    if draw.random() < 0.6:
        words[-1] = _ABBREVIATED.get(words[-1], words[-1])
    at = draw.randrange(1, len(words))
    word = words[at]
    if draw.random() < 0.4 and len(word) > 3:
        swap = draw.randrange(len(word) - 1)
        words[at] = word[:swap] + word[swap + 1] + word[swap] + word[swap + 2 :]
    return " ".join(words)


def _postcode(item: dict[str, str], draw: random.Random) -> str | None:
    return None if draw.random() < 0.5 else item["Postal Code"]


@dataclass(frozen=True)
class Measured:
    """How right what was declared sure is, and how much of what could be found it finds."""

    precision: float
    recall: float
    n_sure: int
    n_wrong: int
    n_strangers_sure: int

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.4f}, recall {self.recall:.4f} ({self.n_sure} sure, {self.n_wrong} of them wrong, "
            f"{self.n_strangers_sure} of them strangers)"
        )


def measured(pairs: Pairs, matches: pl.DataFrame) -> Measured:
    """Hold the matches against the known answers."""
    sure = list(matches.filter("is_sure").select("row_id", "institution_id").iter_rows())
    wrong = [row for row, found in sure if pairs.meant[row] != found]
    n_known = sum(meant is not None for meant in pairs.meant.values())
    return Measured(
        precision=1 - len(wrong) / max(1, len(sure)),
        recall=(len(sure) - len(wrong)) / n_known,
        n_sure=len(sure),
        n_wrong=len(wrong),
        n_strangers_sure=sum(pairs.meant[row] is None for row, _ in sure),
    )
