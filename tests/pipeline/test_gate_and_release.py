"""The release step judges for itself: forged, older and foreign verdicts are refused, and `current` stands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from nights import DISTRICT, Night, run_night

from orchestration.defs.release import publish_build
from orchestration.run_night import activate, run_job
from orchestration.settings import Settings
from quality.verdict import VerdictRefused


@pytest.fixture
def refused_home(
    blocked: tuple[Night, Night], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Settings, str]:
    """A copy of a home whose last build was refused; its current release is of an earlier build."""
    home = tmp_path / "home"
    shutil.copytree(blocked[1].home, home, symlinks=True)
    settings = Settings(home=home, as_of="2026-11-20")  # type: ignore[arg-type]
    import os

    before = dict(os.environ)
    activate(settings)
    yield settings, blocked[0].facts["release_id"]
    os.environ.clear()
    os.environ.update(before)


def current(settings: Settings) -> str:
    return (settings.paths.root / "current").resolve().name


def test_started_by_hand_on_a_refused_build_it_refuses(refused_home: tuple[Settings, str]) -> None:
    settings, standing = refused_home
    with pytest.raises(VerdictRefused):
        publish_build(settings)
    assert current(settings) == standing


def test_a_forged_pass_is_refused(refused_home: tuple[Settings, str]) -> None:
    settings, standing = refused_home
    verdict = json.loads(settings.paths.verdict.read_text(encoding="utf-8"))
    verdict |= {"outcome": "pass", "n_fail": 0, "failing_rules": []}
    settings.paths.verdict.write_text(json.dumps(verdict), encoding="utf-8")
    with pytest.raises(VerdictRefused):
        publish_build(settings)
    assert current(settings) == standing


def test_the_verdict_of_an_older_build_is_refused(refused_home: tuple[Settings, str], clean: Night) -> None:
    settings, standing = refused_home
    shutil.copyfile(clean.home / "night" / "verdict.json", settings.paths.verdict)
    with pytest.raises(VerdictRefused):
        publish_build(settings)
    assert current(settings) == standing


def test_a_missing_verdict_is_refused(refused_home: tuple[Settings, str]) -> None:
    settings, standing = refused_home
    settings.paths.verdict.unlink()
    with pytest.raises(VerdictRefused):
        publish_build(settings)
    assert current(settings) == standing


def test_the_publish_job_refuses_too_and_says_so_in_a_sentence(refused_home: tuple[Settings, str]) -> None:
    settings, standing = refused_home
    outcome = run_job(settings, "publish_only")
    assert not outcome.is_success
    assert outcome.error
    assert "Traceback" not in outcome.error
    assert current(settings) == standing


def test_marts_changed_after_the_verdict_are_not_published(
    clean: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    import duckdb

    home = tmp_path / "home"
    shutil.copytree(clean.home, home, symlinks=True)
    with duckdb.connect(str(home / "warehouse.duckdb")) as con:
        con.execute(
            "update marts.institution_year set electricity_kwh = electricity_kwh + 1 where year = 2021"
        )
    before = dict(os.environ)
    settings = Settings(home=home, as_of="2026-11-20")  # type: ignore[arg-type]
    activate(settings)
    try:
        with pytest.raises(VerdictRefused):
            publish_build(settings)
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert current(settings) == clean.facts["release_id"]


def test_a_waiver_that_runs_out_closes_the_gate_again(blocked: tuple[Night, Night], waived: Night) -> None:
    assert waived.code == 0, waived.said[-2000:]
    n_waived = len(blocked[1].facts["failing"])
    assert waived.published("select count(*) from published.quality_result where outcome = 'waived'") == [
        (n_waived,)
    ]
    later = run_night(waived.home, "--as-of", "2027-01-01")
    assert later.code == 1
    assert later.facts["release_id"] == waived.facts["release_id"]
    assert "豁免已到期" in later.said


def test_the_same_inputs_give_the_same_bytes(clean: Night, tmp_path: Path) -> None:
    """Another folder, files arriving in another order over two nights' sealing, one thread, warehouse deleted."""
    home = tmp_path / "other"
    source = DISTRICT / "clean" / "landing"
    files = sorted((path for path in source.rglob("*") if path.is_file()), reverse=True)
    for path in files:
        target = home / "landing" / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (home / "profiles").mkdir()
    shutil.copyfile(DISTRICT / "profile.yml", home / "profiles" / "example.yml")
    other = run_night(home, TANCANG_THREADS="1")
    assert other.code == 0
    assert parquet_bytes(other) == parquet_bytes(clean)
    assert other.facts["release_id"] == clean.facts["release_id"]

    (home / "warehouse.duckdb").unlink()
    again = run_night(home, "--again")
    assert again.code == 0, again.said[-2000:]
    assert again.facts["release_id"] == clean.facts["release_id"]
    assert parquet_bytes(again) == parquet_bytes(clean)
    assert len(list((home / "releases").iterdir())) == 1


def parquet_bytes(night: Night) -> dict[str, bytes]:
    root = night.release
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.parquet")}
    assert len(found) >= 11
    return found
