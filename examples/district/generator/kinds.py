"""What kinds of institution the district has, and what is usual for each.

Belongs here: one line per kind with medians of a plausible institution. These are shapes only: totals come
from the calibration, which scales every carrier once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`area` m2 per institution; `density` m2 per person; the rest per m2, per person or litres a year."""

    name: str
    type_code: str
    prefix: str
    n: int
    suffix: str
    area: str
    density: str
    electricity: str
    gas_percent: int
    gas: str
    lpg_percent: int
    petrol_percent: int
    petrol: str
    diesel_percent: int
    diesel: str
    water: str


KINDS = [
    Kind("bureau", "01", "11", 60, "局", "4000", "34", "46", 50, "1.1", 2, 90, "7000", 20, "1500", "18"),
    Kind(
        "town_government",
        "01",
        "11",
        11,
        "人民政府",
        "9500",
        "30",
        "44",
        82,
        "1.2",
        0,
        100,
        "16000",
        80,
        "5000",
        "20",
    ),
    Kind("court", "01", "11", 4, "法院", "12000", "33", "50", 100, "1.1", 0, 100, "15000", 50, "2500", "18"),
    Kind(
        "party", "01", "11", 21, "委员会办公室", "2600", "32", "44", 30, "1.0", 0, 85, "4200", 5, "800", "17"
    ),
    Kind(
        "kindergarten",
        "021",
        "12",
        62,
        "幼儿园",
        "4200",
        "11.5",
        "22",
        78,
        "1.7",
        60,
        12,
        "900",
        3,
        "600",
        "13",
    ),
    Kind("primary", "021", "12", 40, "小学", "9000", "8.8", "18", 85, "1.5", 55, 25, "1200", 6, "900", "11"),
    Kind("middle", "021", "12", 30, "中学", "14500", "10", "20", 90, "1.6", 40, 40, "1800", 10, "1200", "14"),
    Kind(
        "vocational",
        "021",
        "12",
        4,
        "职业学校",
        "24000",
        "9.5",
        "24",
        100,
        "1.9",
        0,
        75,
        "3500",
        50,
        "2400",
        "19",
    ),
    Kind(
        "training", "021", "12", 14, "成人学校", "2400", "14", "24", 15, "0.7", 10, 25, "900", 0, "500", "8"
    ),
    Kind(
        "research",
        "022",
        "12",
        6,
        "科技服务站",
        "2500",
        "36",
        "40",
        15,
        "0.6",
        0,
        65,
        "2400",
        30,
        "1500",
        "15",
    ),
    Kind("culture", "023", "12", 22, "文化馆", "3600", "22", "36", 15, "0.6", 5, 35, "1700", 10, "900", "12"),
    Kind(
        "hospital", "024", "12", 6, "医院", "36000", "14", "72", 100, "4.2", 0, 100, "9000", 100, "7000", "26"
    ),
    Kind(
        "community_health",
        "024",
        "12",
        16,
        "社区卫生服务中心",
        "5400",
        "15",
        "48",
        80,
        "1.9",
        15,
        85,
        "3000",
        55,
        "2200",
        "17",
    ),
    Kind(
        "health_office",
        "024",
        "12",
        18,
        "卫生所",
        "1900",
        "22",
        "46",
        20,
        "0.9",
        5,
        60,
        "2600",
        25,
        "1400",
        "14",
    ),
    Kind("sports", "025", "12", 5, "体育馆", "9500", "24", "45", 60, "2.2", 0, 60, "1800", 20, "900", "20"),
    Kind(
        "service",
        "026",
        "12",
        104,
        "事务中心",
        "2100",
        "30",
        "36",
        22,
        "0.9",
        3,
        62,
        "3600",
        28,
        "3800",
        "15",
    ),
    Kind("group", "03", "13", 26, "联合会", "950", "27", "36", 8, "0.7", 0, 45, "1900", 0, "500", "14"),
]
KIND_BY_NAME = {kind.name: kind for kind in KINDS}

# A name needs more than one suffix where a district would have more than one such body
SUFFIXES = {
    "bureau": [
        "财务局",
        "规划局",
        "水务局",
        "市场局",
        "档案局",
        "统计局",
        "文旅局",
        "建设局",
        "交通局",
        "农业局",
    ],
    "party": ["工作委员会", "机关党委", "编制办公室"],
    "culture": ["图书馆", "文化活动中心", "陈列馆"],
    "health_office": ["急救站", "疾病防治站", "卫生监督所"],
    "service": [
        "社区事务中心",
        "绿化管理所",
        "水利管理站",
        "城市管理服务所",
        "就业服务站",
        "农业技术站",
        "安全服务站",
    ],
    "group": ["工会联合会", "妇女联合会", "青年联合会", "科普协会"],
    "training": ["成人学校", "社区学校"],
    "court": ["法庭", "检察室"],
}
