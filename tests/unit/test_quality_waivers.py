"""Two persons accept a failure until a date; everything else is refused by name."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from quality_scratch import AS_OF, above, catalogue, rule, waiver, warehouse

from quality.runner import run_rules
from quality.waivers import WaiverFileError, expired_waivers, load_waivers

GOOD = """
waivers:
  - rule: above
    reason: 电表更换
    evidence: protocol-12.pdf
    owner: 李雷
    approved_by: 韩梅梅
    expires_on: 2022-06-30
"""


def _outcome(*waivers, limit=5, **fields):  # type: ignore[no-untyped-def]
    (result,) = run_rules(warehouse(), catalogue(above(limit, **fields)), waivers, AS_OF)
    return result


def test_a_waiver_covers_the_rule_and_the_count_stays() -> None:
    result = _outcome(waiver())
    assert (result.outcome, result.n_failing) == ("waived", 2)
    assert result.waiver_id == waiver().waiver_id


def test_it_holds_on_its_last_day_and_not_on_the_next() -> None:
    assert _outcome(waiver(expires_on=AS_OF)).outcome == "waived"
    late = _outcome(waiver(expires_on=AS_OF - dt.timedelta(days=1)))
    assert late.outcome == "fail"
    assert late.waiver_id is None
    assert "2022-02-28" in late.message


def test_every_failing_row_must_be_covered() -> None:
    assert _outcome(waiver(scope="k6")).outcome == "fail"
    assert _outcome(waiver(scope="k6"), waiver(scope="k7")).outcome == "waived"
    assert _outcome(waiver(scope="k*")).outcome == "waived"


def test_rows_beyond_the_stored_ones_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from quality import runner

    monkeypatch.setattr(runner, "MAX_STORED_ROWS", 1)
    assert _outcome(waiver(scope="k6")).outcome == "fail"


def test_a_ledger_rule_stays_closed_whatever_is_written() -> None:
    assert _outcome(waiver(), is_waivable=False).outcome == "fail"


def test_a_broken_check_is_never_waived() -> None:
    (result,) = run_rules(warehouse(), catalogue(rule("above", failing="selec")), (waiver(),), AS_OF)
    assert result.outcome == "broken"


def test_the_file_is_read_and_no_file_is_no_waiver(tmp_path: Path) -> None:
    assert load_waivers(tmp_path / "waivers.yml", catalogue(above(5))) == ()
    path = tmp_path / "waivers.yml"
    path.write_text(GOOD, encoding="utf-8")
    (read,) = load_waivers(path, catalogue(above(5)))
    assert (read.rule, read.owner, read.expires_on) == ("above", "李雷", dt.date(2022, 6, 30))
    assert expired_waivers((read,), dt.date(2022, 7, 1)) == (read,)
    path.write_text("", encoding="utf-8")
    assert load_waivers(path, catalogue(above(5))) == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("approved_by: 韩梅梅", "approved_by: 李雷"), "same person"),
        (("approved_by: 韩梅梅", "approved_by: ' 李 雷 '"), "same person"),
        (("    approved_by: 韩梅梅\n", ""), "approved_by"),
        (("    evidence: protocol-12.pdf\n", ""), "evidence"),
        (("reason: 电表更换", "reason: '  '"), "reason"),
        (("expires_on: 2022-06-30", "expires_on: later"), "expires_on"),
        (("rule: above", "rule: no_such_rule"), "no_such_rule"),
        (("    owner: 李雷", "    owner: 李雷\n    note: x"), "note"),
        (("waivers:", "waivers: ["), "YAML"),
        (("waivers:", "exceptions:"), "exceptions"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    path = tmp_path / "waivers.yml"
    path.write_text(GOOD.replace(*change), encoding="utf-8")
    with pytest.raises(WaiverFileError) as refused:
        load_waivers(path, catalogue(above(5)))
    assert "waivers.yml" in refused.value.text.en
    assert named in refused.value.text.en
    assert "waivers.yml" in refused.value.text.zh


@pytest.mark.parametrize(
    ("fields", "said"), [({"is_waivable": False}, "ledger"), ({"severity": "warn"}, "warns")]
)
def test_a_waiver_where_none_can_be_is_refused(tmp_path: Path, fields: dict[str, object], said: str) -> None:
    path = tmp_path / "waivers.yml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(WaiverFileError, match=said):
        load_waivers(path, catalogue(above(5, **fields)))
