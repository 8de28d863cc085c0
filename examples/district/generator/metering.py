"""Metering files: national XML, daily intervals as CSV, register readings as CSV; and what they add up to.

Belongs here: readings drawn so that a year is plausible, and the exact sums of what was written. The sums
are the truth; the targets of a building are only what the draw aims at.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

from examples.district.generator.buildings import ITEM_ELECTRICITY, ITEM_GAS, ITEM_WATER, Building
from examples.district.generator.calibration import YEARS
from examples.district.generator.dice import Dice, apportion
from examples.district.generator.files import Grid, Landing, Package, Text, plain
from examples.district.generator.identity import DIVISION

Sums = dict[tuple[str, int, str], Decimal]

TENTH = Decimal("0.1")
SUB_ITEMS = {"01A00": 34, "01B00": 41, "01C00": 14, "01D00": 11}
REGISTER_HEADER = [
    "表号",
    "建筑代码",
    "分项编码",
    "抄表时间",
    "读数",
    "倍率",
    "单位",
    "事件",
    "旧表止码",
    "新表起码",
]
DAILY_HEADER = ["building_code", "item_code", "start_time", "end_time", "value", "unit"]
_SEASON = (112, 98, 88, 80, 88, 106, 130, 132, 108, 84, 86, 106)


def files(buildings: list[Building]) -> tuple[Landing, Sums]:
    sums: Sums = {}
    landing: Landing = {"metering/Build.xml": _build_xml(buildings)}
    landing |= _node_days([b for b in buildings if b.feed == "node"], sums)
    landing |= _daily([b for b in buildings if b.feed == "daily"], sums)
    landing |= _registers([b for b in buildings if b.feed == "register"], sums)
    return landing, sums


def _head(created: datetime) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<root>\n<common>\n'
        f"<UploadDataCenterID>{DIVISION}</UploadDataCenterID>\n<CreateTime>{created}</CreateTime>\n</common>\n<data>\n"
    )


def _build_xml(buildings: list[Building]) -> Text:
    dice = Dice("building attributes")
    envelope = Dice("building envelope")
    parts = [_head(datetime(2021, 12, 1, 1))]
    for b in buildings:
        # one sender of two writes "other" as Z where the register says H
        function = "Z" if b.class_code == "H" and int(b.code[-3:]) % 2 == 0 else b.class_code
        fields = {
            "F_BuildName": b.name,
            "F_BuildOwner": b.owner.name if b.owner else "示例业主",
            "F_State": "1",
            "F_DistrictCode": DIVISION,
            "F_BuildYear": str(b.built_year),
            "F_UpFloor": str(2 + dice.below(16)),
            "F_DownFloor": str(dice.below(3)),
            "F_BuildFunc": function,
            "F_TotalArea": plain(b.floor_area.quantize(Decimal("0.0001"))),
            "F_AirType": dice.pick("ABC"),
            "F_HeatType": dice.pick("ABD"),
            "F_StruType": dice.pick("ABC"),
            **_envelope(b, envelope, is_last_letter=function == "H"),
        }
        leaves = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
        parts.append(f'<Build id="{b.code}"><BuildBaseInfo operation="U">{leaves}</BuildBaseInfo></Build>\n')
    return Text("".join(parts) + "</data>\n</root>\n")


_ENVELOPE = {
    "F_WallMatType": "ABDE",
    "F_WallWarmType": "AB",
    "F_WallWinType": "ADE",
    "F_GlassType": "ABC",
    "F_WinFrameType": "BDE",
}
_LAST_LETTER = {
    "F_WallMatType": "F",
    "F_WallWarmType": "D",
    "F_WallWinType": "G",
    "F_GlassType": "D",
    "F_WinFrameType": "F",
}


def _envelope(building: Building, dice: Dice, *, is_last_letter: bool) -> dict[str, str]:
    """Areas and envelope; the sender that writes the class "other" as H writes other as the last letter here too."""
    served = building.floor_area * dice.between("0.7", "0.95")
    fields = {
        "F_AirArea": plain(served.quantize(Decimal("0.01"))),
        "F_HeatArea": plain((served * dice.between("0.8", "1")).quantize(Decimal("0.01"))),
        "F_BodyCoef": plain(dice.between("0.15", "0.40").quantize(Decimal("0.01"))),
    }
    for name, letters in _ENVELOPE.items():
        other = _LAST_LETTER[name] if is_last_letter else "Z"
        fields[name] = other if dice.chance(8) else dice.pick(letters)
    return fields


def _node_days(buildings: list[Building], sums: Sums) -> Landing:
    dice = Dice("hours of the node")
    first = datetime(2021, 12, 1)
    hours = [first + timedelta(hours=n) for n in range(744)]
    values: dict[str, list[Decimal]] = {}
    for b in buildings:
        month = (b.targets[2021, ITEM_ELECTRICITY] * 744 / 8760 * Decimal("1.05")).quantize(TENTH)
        weights = [(100 if 8 <= hour.hour < 19 else 35) * dice.factor("0.06") for hour in hours]
        values[b.code] = apportion(month, weights, TENTH)
        sums[b.code, 2021, ITEM_ELECTRICITY] = sum(values[b.code], Decimal(0))
    landing: Landing = {}
    for day in range(31):
        start = first + timedelta(days=day)
        parts = [_head(start + timedelta(days=1, hours=1))]
        for b in buildings:
            parts.append(f'<Build id="{b.code}">\n')
            for n in range(24 * day, 24 * day + 24):
                value = values[b.code][n]
                # this sender multiplies every medium by 0.1229; nobody may load that column
                coal = (value * Decimal("0.1229")).quantize(Decimal("0.01"))
                # from the middle of the month the node runs newer software, which leaves out serial and coal
                serial, equivalent = (
                    (
                        f"<F_HourResultID>{DIVISION}{hours[n]:%Y%m%d%H}</F_HourResultID>",
                        f"<F_HourEquValue>{plain(coal)}</F_HourEquValue>",
                    )
                    if day < 15
                    else ("", "")
                )
                parts.append(
                    f"<EnergyItemHourResult>{serial}"
                    f"<F_EnergyItemCode>{ITEM_ELECTRICITY}</F_EnergyItemCode><F_StartHour>{hours[n]}</F_StartHour>"
                    f"<F_EndHour>{hours[n] + timedelta(hours=1)}</F_EndHour><F_HourValue>{plain(value)}</F_HourValue>"
                    f"{equivalent}<F_State>1</F_State></EnergyItemHourResult>\n"
                )
            parts.append("</Build>\n")
        name = f"{DIVISION}_{start:%Y%m%d}"
        energy = Text("".join(parts) + "</data>\n</root>\n")
        if day < 30:
            landing[f"metering/{name}_Energy.xml"] = energy
        else:
            # the last day as nodes send it: one archive with the XML and the building's pictures
            picture = f"Accessory/{buildings[0].code}0001.jpg"
            landing[f"metering/{name}.zip"] = Package({f"{name}_Energy.xml": energy, picture: Text("")})
    return landing


def _daily(buildings: list[Building], sums: Sums) -> Landing:
    landing: Landing = {}
    for year in YEARS:
        lines = [DAILY_HEADER]
        n_days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
        days = [datetime(year, 1, 1) + timedelta(days=n) for n in range(n_days)]
        for b in buildings:
            dice = Dice(f"days of {b.code} in {year}")
            total = b.targets[year, ITEM_ELECTRICITY].quantize(TENTH)
            values = apportion(total, [_day_weight(b, day) * dice.factor("0.05") for day in days], TENTH)
            items = {ITEM_ELECTRICITY: values}
            if b.has_sub_items and year == 2021:
                split = [
                    apportion(value, [share * dice.factor("0.08") for share in SUB_ITEMS.values()], TENTH)
                    for value in values
                ]
                items |= {item: [parts[n] for parts in split] for n, item in enumerate(SUB_ITEMS)}
            for item, series in items.items():
                sums[b.code, year, item] = sum(series, Decimal(0))
                lines += [
                    [b.code, item, str(day), str(day + timedelta(days=1)), plain(value), "kWh"]
                    for day, value in zip(days, series, strict=True)
                ]
        landing[f"metering/daily_{year}.csv"] = Grid("utf-8", lines)
    return landing


def _day_weight(building: Building, day: datetime) -> int:
    weekend = {"A": 38, "D": 30}.get(building.class_code, 112)
    return _SEASON[day.month - 1] * (weekend if day.weekday() >= 5 else 100)


_LETTER = {ITEM_ELECTRICITY: "E", ITEM_WATER: "W", ITEM_GAS: "G"}


def _registers(buildings: list[Building], sums: Sums) -> Landing:
    lines: dict[int, list[list[str]]] = {year: [REGISTER_HEADER] for year in YEARS}
    for b in buildings:
        for item, letter in _LETTER.items():
            if (2021, item) not in b.targets:
                continue
            dice = Dice(f"register {letter} of {b.code}")
            multiplier = _multiplier(b.targets[2021, item], dice) if item == ITEM_ELECTRICITY else 1
            reading = Decimal(dice.below(4_000_000)) / 100
            for year in YEARS:
                step = Decimal("0.01")
                total = (b.targets[year, item] / multiplier).quantize(step)
                months = apportion(total, [season * dice.factor("0.06") for season in _SEASON], step)
                times = [datetime(year, month, 1) for month in range(1, 13)] + [datetime(year + 1, 1, 1)]
                for time, used in zip(times, [Decimal(0), *months], strict=True):
                    reading += used
                    lines[year].append(
                        [
                            f"{letter}{b.code[6:]}-1",
                            b.code,
                            item,
                            str(time),
                            plain(reading.quantize(step)),
                            str(multiplier),
                            "kWh" if item == ITEM_ELECTRICITY else "m3",
                            "",
                            "",
                            "",
                        ]
                    )
                sums[b.code, year, item] = total * multiplier
    return {f"metering/registers_{year}.csv": Grid("gb18030", lines[year]) for year in YEARS}


def _multiplier(annual_kwh: Decimal, dice: Dice) -> int:
    """A current transformer fits the load: small buildings are read directly."""
    if annual_kwh < 60_000:
        return 1
    if annual_kwh < 250_000:
        return dice.pick([20, 30, 40])
    return dice.pick([60, 80, 120]) if annual_kwh < 1_000_000 else dice.pick([160, 200, 400])
