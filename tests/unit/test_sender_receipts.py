"""Receipts for senders: what they say of sound, defective, refused and replaced files, and that nothing in them acts."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from ingestion import archive, sender_receipts
from ingestion.archive import Receipt
from ingestion.contracts.home import Home
from ingestion.contracts.messages import Refusal
from ingestion.deliveries import load_delivery
from ingestion.load import Rules
from orchestration import receipt_command
from orchestration.settings import Settings

DEFECTIVE = Path("examples/district/defective/landing")
HEAD = "机构代码,单位名称,报告期,状态,版次,f110,f120\n单位,,,,,kWh,m3\n"


def deliver(home: Home, name: str, data: bytes) -> list[Receipt]:
    file = home.landing / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return archive.seal(home, date(2024, 5, 1))


def receipts_of(home: Home, rules: Rules) -> None:
    everything = archive.receipts(home)
    current = archive.current(everything)
    read = [
        (item.receipt, item.loaded)
        for receipt in current
        for item in load_delivery(receipt, archive.read_sealed(home, receipt.sha256), rules)
    ]
    sender_receipts.write(home, read, [item for item in everything if item not in current])


def test_a_defective_file_of_the_example(tmp_path: Path, rules: Rules, checkout: Path) -> None:
    home = Home(tmp_path)
    data = (checkout / DEFECTIVE / "direct_report/NY201_2021_f.csv").read_bytes()
    (receipt,) = deliver(home, "direct_report/NY201_2021_f.csv", data)
    receipts_of(home, rules)
    found = json.loads((home.receipts / f"{receipt.file_id}.json").read_text(encoding="utf-8"))
    assert (found["sha256"], found["received_on"], found["outcome"]) == (
        receipt.sha256,
        "2024-05-01",
        "loaded",
    )
    assert (found["layout"]["id"], found["layout"]["edition"]) == ("direct_report.ny201_2020_f", "2020")
    for n in found["counts"].values():
        assert n["read"] == n["loaded"] + n["quarantined"] + n["ignored"]
    assert found["quarantined"]["n"] > 0
    page = (home.receipts / f"{receipt.file_id}.md").read_text(encoding="utf-8")
    for row in found["quarantined"]["shown"]:
        assert row["expected"]["zh"]
        assert row["mend"]["en"] in page
        assert row["cell"] in page


def test_the_same_facts_are_the_same_bytes(tmp_path: Path, rules: Rules, checkout: Path) -> None:
    data = (checkout / DEFECTIVE / "metering/registers_2021.csv").read_bytes()
    written = []
    for name in ("a", "b"):
        home = Home(tmp_path / name)
        deliver(home, "metering/registers_2021.csv", data)
        receipts_of(home, rules)
        before = {path.name: path.stat().st_mtime_ns for path in home.receipts.iterdir()}
        receipts_of(home, rules)
        assert {path.name: path.stat().st_mtime_ns for path in home.receipts.iterdir()} == before
        written.append({path.name: path.read_bytes() for path in home.receipts.iterdir()})
    assert written[0] == written[1]
    assert len(written[0]) == 2


def test_refused_and_replaced_files(tmp_path: Path, rules: Rules, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    deliver(home, "direct_report/a.csv", b"nothing,known\n1,2\n")
    deliver(home, "direct_report/a.csv", b"")
    receipts_of(home, rules)
    outcomes = sorted(json.loads(path.read_text())["outcome"] for path in home.receipts.glob("*.json"))
    assert outcomes == ["refused", "superseded"]
    settings = Settings(home=tmp_path, lang="en")
    assert receipt_command.run(settings, "direct_report/a.csv", as_json=False) == 1
    said = capsys.readouterr().out
    assert "the file is empty" in said
    assert "export it again" in said
    assert "文件" not in said
    assert receipt_command.run(settings, str(home.landing / "direct_report/a.csv"), as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["refusal"]["code"] == "empty_file"
    with pytest.raises(Refusal) as none:
        receipt_command.run(settings, "../../etc/passwd", as_json=False)
    assert none.value.code == "no_receipt"


def test_no_text_of_a_file_acts_in_its_receipt(tmp_path: Path, rules: Rules) -> None:
    home = Home(tmp_path)
    trap = "=HYPERLINK(1)|x<script>\u202e[a](b)"
    rows = "".join(f"11310118YY10{n:04d}A,x,2020000,7,1,{trap},@SUM(A1)\n" for n in range(150))
    (receipt,) = deliver(home, "direct_report/=1+1_<b>.csv", (HEAD + rows).encode())
    receipts_of(home, rules)
    found = json.loads((home.receipts / f"{receipt.file_id}.json").read_text(encoding="utf-8"))
    assert found["quarantined"]["n"] == 300
    assert len(found["quarantined"]["shown"]) == sender_receipts.MOST
    assert found["quarantined"]["shown"][0]["found"] == trap, "JSON keeps what the file says"
    page = (home.receipts / f"{receipt.file_id}.md").read_text(encoding="utf-8")
    assert "(200 / 300)" in page
    assert not {"<script>", "<b>", "\u202e", "[a](b)", "| =", "| @"} & {
        sign for sign in ("<script>", "<b>", "\u202e", "[a](b)", "| =", "| @") if sign in page
    }
    assert "| '=HYPERLINK(1)\\|x&lt;script&gt;" in page
    table = page[page.index("## ") :].splitlines()[2:]
    assert all(line.replace("\\|", "").count("|") == 5 for line in table)
