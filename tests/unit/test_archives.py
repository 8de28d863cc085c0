"""Zip containers: members come back as they were packed, accessories are set aside by rule, hostile ones are refused by name."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from datetime import date

import pytest

from ingestion.archive import Receipt
from ingestion.contracts.messages import Refusal
from ingestion.counting import archive_entries
from ingestion.deliveries import load_delivery
from ingestion.load import Rules
from ingestion.readers import archives

ENERGY = (
    b'<?xml version="1.0" encoding="UTF-8"?><root><common><UploadDataCenterID>310118</UploadDataCenterID></common>'
    b'<data><Build id="310118A001"><EnergyItemHourResult><F_HourResultID>1</F_HourResultID>'
    b"<F_EnergyItemCode>01000</F_EnergyItemCode><F_StartHour>2021-12-01 00:00:00</F_StartHour>"
    b"<F_EndHour>2021-12-01 01:00:00</F_EndHour><F_HourValue>12.5</F_HourValue><F_HourEquValue>9.99</F_HourEquValue>"
    b"<F_State>1</F_State></EnergyItemHourResult></Build></data></root>"
)
BUILD = (
    '<?xml version="1.0" encoding="UTF-8"?><root><common><UploadDataCenterID>310118</UploadDataCenterID></common>'
    '<data><Build id="310118A001"><BuildBaseInfo operation="U"><F_BuildName>示例楼</F_BuildName>'
    "<F_BuildFunc>A</F_BuildFunc><F_HeatType>D</F_HeatType></BuildBaseInfo></Build></data></root>"
).encode()


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as target:
        for name, content in entries:
            target.writestr(name, content)
    return made.getvalue()


def refused(data: bytes, path: str = "310118_20211201.zip") -> str:
    with pytest.raises(Refusal) as caught:
        archives.members(path, data)
    assert caught.value.reason.zh
    assert caught.value.mend.en
    return caught.value.code


def receipt_of(path: str, data: bytes) -> Receipt:
    return Receipt(
        source="metering",
        path=path,
        sha256="0" * 64,
        size_bytes=len(data),
        received_on=date(2021, 12, 2),
        version=1,
    )


def test_one_delivery_is_its_members_each_by_its_own_layout(rules: Rules) -> None:
    data = packed(
        ("310118_20211201_Build.xml", BUILD),
        ("310118_20211201_Energy.xml", ENERGY),
        ("Accessory/", b""),
        ("Accessory/310118A0010001.jpg", b"\xff\xd8"),
        ("Accessory/310118A0010002.dwf", b"x"),
        ("__MACOSX/._310118_20211201_Energy.xml", b"x"),
    )
    whole, build, energy = load_delivery(receipt_of("node/310118_20211201.zip", data), data, rules)
    assert whole.loaded.refusal is None
    assert whole.loaded.counts == {"member": {"n_read": 6, "n_loaded": 2, "n_quarantined": 0, "n_ignored": 4}}
    assert whole.loaded.notes.select("note_code", "found").rows() == [
        ("ignored_folder", "Accessory/"),
        ("ignored_accessory", "Accessory/310118A0010001.jpg"),
        ("ignored_accessory", "Accessory/310118A0010002.dwf"),
        ("ignored_system_file", "__MACOSX/._310118_20211201_Energy.xml"),
    ]
    assert build.receipt.path == "node/310118_20211201.zip!310118_20211201_Build.xml"
    assert build.loaded.layout is not None
    assert build.loaded.layout.id == "metering.build_xml"
    assert build.loaded.rows["node_code"].to_list() == ["310118"]
    assert energy.loaded.layout is not None
    assert energy.loaded.layout.id == "metering.energy_xml"
    assert energy.loaded.rows["number_text"].to_list() == ["12.5"]
    assert len({item.receipt.file_id for item in (whole, build, energy)}) == 3
    assert energy.receipt.received_on == date(2021, 12, 2)


@pytest.mark.parametrize(
    ("path", "member", "found"),
    [
        ("310118_20211201.zip", "310118_20211201_Energy.xml", []),
        ("310118_20211201.zip", "310118_20211202_Energy.xml", ["20211201 (× 1)"]),
        ("310118_20211202.zip", "Energy.xml", ["20211201 (× 1)"]),
        ("310118_20211201.zip", "310118_2021120100_Energy.xml", []),
        ("310118_20211201.zip", "310118_2021120101_Energy.xml", []),
        ("310118_20211201.zip", "310118_2021120107_Energy.xml", ["00 (× 1)"]),
        ("310118_20211201.zip", "310104_20211301_Energy.xml", ["20211201 (× 1)", "310118 (× 1)"]),
        ("upload.zip", "Energy.xml", []),
    ],
)
def test_a_name_is_held_against_the_readings_inside(
    rules: Rules, path: str, member: str, found: list[str]
) -> None:
    data = packed((member, ENERGY))
    energy = load_delivery(receipt_of(path, data), data, rules)[1].loaded
    assert energy.rows["number_text"].to_list() == ["12.5"]
    assert energy.notes["note_code"].to_list() == ["name_says_otherwise"] * len(found)
    assert energy.notes["found"].to_list() == found


def test_a_member_that_nobody_can_read_is_refused_alone(rules: Rules) -> None:
    data = packed(("Energy.xml", ENERGY), ("half.xml", ENERGY[:200]))
    whole, good, bad = load_delivery(receipt_of("a.zip", data), data, rules)
    assert good.loaded.refusal is None
    assert bad.loaded.refusal is not None
    assert bad.loaded.refusal.code == "broken_xml"
    assert whole.loaded.counts["member"] == {"n_read": 2, "n_loaded": 1, "n_quarantined": 1, "n_ignored": 0}


def test_a_file_that_is_no_container_is_itself(rules: Rules) -> None:
    (only,) = load_delivery(receipt_of("Energy.xml", ENERGY), ENERGY, rules)
    assert only.loaded.rows.height == 1


def test_a_name_in_gb18030_is_read() -> None:
    info = zipfile.ZipInfo("x" * 12 + ".xml")
    data = packed((info, ENERGY))
    written = "能耗数据".encode("gb18030") + b"0000" + b".xml"
    assert len(written) == 16
    found = archives.members("a.zip", data.replace(b"x" * 12 + b".xml", written))
    assert [member.name for member in found] == ["能耗数据0000.xml"]


@pytest.mark.parametrize(
    "name",
    [
        "../Energy.xml",
        "a/../../Energy.xml",
        "/etc/Energy.xml",
        "C:\\x\\Energy.xml",
        "..\\Energy.xml",
        "a\x07.xml",
    ],
)
def test_a_path_that_leads_outside_is_refused(name: str) -> None:
    assert refused(packed((name, ENERGY))) == "archive_path_escapes"


def test_a_link_is_refused() -> None:
    link = zipfile.ZipInfo("Energy.xml")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert refused(packed((link, b"/etc/passwd"))) == "archive_link"


def test_two_members_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed(("Energy.xml", ENERGY), ("Energy.xml", ENERGY))
    assert refused(data) == "archive_member_twice"
    assert refused(packed(("Energy.xml", ENERGY), ("ENERGY.XML", ENERGY))) == "archive_member_twice"


def test_an_archive_inside_an_archive_is_refused() -> None:
    assert refused(packed(("day.zip", packed(("Energy.xml", ENERGY))))) == "archive_nested"
    assert refused(packed(("day.rar", b"Rar!"))) == "archive_nested"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = packed(("Energy.xml", b"0" * (250 << 20)))
    assert len(bomb) < 1 << 20
    assert refused(bomb) == "expands_too_far"


def test_many_members_share_one_limit() -> None:
    data = packed(*[(f"{n}.xml", b"0" * (20 << 20)) for n in range(12)])
    assert refused(data) == "expands_too_far"


def test_too_many_members_are_refused() -> None:
    data = packed(*[(f"{n}.xml", b"") for n in range(archives.MAX_MEMBERS + 1)])
    assert refused(data) == "too_many_members"


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(packed(("Energy.xml", ENERGY)))
    central = data.rfind(b"PK\x01\x02")
    struct.pack_into("<H", data, central + 8, 0x1)
    assert refused(bytes(data)) == "archive_encrypted"


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_half_an_archive_is_refused(cut: float) -> None:
    data = packed(("Energy.xml", ENERGY), ("Build.xml", BUILD))
    assert refused(data[: int(len(data) * cut)]) == "broken_archive"


def test_a_damaged_member_is_refused() -> None:
    data = bytearray(packed(("Energy.xml", ENERGY), method=zipfile.ZIP_STORED))
    data[120] ^= 0xFF
    assert refused(bytes(data)) == "broken_archive"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.rar", b"Rar!\x1a\x07\x01\x00"),
        ("a.zip", b"Rar!\x1a\x07\x00"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c"),
        ("a.tar", b"x"),
    ],
)
def test_other_containers_say_how_to_send_them(path: str, data: bytes) -> None:
    assert refused(data, path) == "packed_otherwise"


def test_an_archive_of_pictures_alone_is_refused() -> None:
    assert refused(packed(("Accessory/a.jpg", b"x"))) == "empty_archive"


def test_entries_are_counted_by_the_last_record_of_the_file() -> None:
    assert archive_entries(packed(*[(f"{n}.xml", b"") for n in range(7)])) == 7
