"""Publishing: what a release holds, what refuses, and that nothing published is ever changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from exports_world import AS_OF, PASS, dictionary, fill, fingerprint, publish_version

from exports.current import current_release, list_releases, plan_release, rollback
from exports.dictionary import PublishedTable
from exports.manifest import BuildFacts, VerdictFacts, read_manifest, verify
from exports.messages import ExportError
from exports.release import publish
from exports.seal import files_of, sha256_of


@pytest.fixture
def tables(tmp_path: Path) -> tuple[PublishedTable, ...]:
    return dictionary(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def _bytes(release: Path) -> dict[str, str]:
    return {
        path: os.readlink(release / path) if (release / path).is_symlink() else sha256_of(release / path)
        for path in files_of(release)
    }


def test_a_release_holds_what_it_says(home: Path, tables: tuple[PublishedTable, ...], tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "static").mkdir(parents=True)
    (docs / "index.html").write_text("<p>规则</p>", encoding="utf-8")
    (docs / "static/a.css").write_text("", encoding="utf-8")
    steps: list[str] = []
    made = publish_version(home, tables, 1, on_step=steps.append, extras={"data_docs": docs})
    assert made.release_id == f"20261120-{fingerprint(1)[:12]}"
    assert (made.number, made.parent_release_id, made.is_identical) == (1, None, False)
    assert (made.is_current, made.is_linked, made.notes) == (True, True, ())
    assert verify(made.path) == []
    files = files_of(made.path)
    assert {"inventory.duckdb", "manifest.json", "manifest.sha256", "data_docs/index.html"} <= set(files)
    assert all((made.path / file).stat().st_mode & 0o777 == 0o444 for file in files)
    assert os.readlink(home / "current") == f"releases/{made.release_id}"
    assert json.loads((home / "current.json").read_text())["path"] == f"releases/{made.release_id}"
    assert sorted(path.name for path in home.iterdir()) == ["current", "current.json", "releases"]
    assert [path.name for path in (home / "releases").iterdir()] == [made.release_id]
    manifest = read_manifest(made.path)
    assert manifest == made.manifest
    assert {table.name: table.n_rows for table in manifest.tables} == {
        "factor_used": 5, "institution_year": 80, "region_year": 3, "release": 1,
    }  # fmt: skip
    assert manifest.engine_versions["duckdb"] == duckdb.__version__
    assert (manifest.is_signed, manifest.signature) == (False, "unsigned")
    assert [output.path for output in manifest.outputs] == [
        file for file in files if file not in ("manifest.json", "manifest.sha256")
    ]
    single = next(table for table in manifest.tables if table.name == "factor_used")
    assert single.content_sha256 == sha256_of(made.path / "parquet/factor_used/part-0.parquet")
    assert steps[0] == "confirmed"
    assert steps[-5:] == ["sealed", "reconfirmed", "renamed", "named", "linked"]


def test_checksum_line_is_what_sha256sum_reads(home: Path, tables: tuple[PublishedTable, ...]) -> None:
    made = publish_version(home, tables, 1)
    done = subprocess.run(["sha256sum", "--check", "--status", "manifest.sha256"], cwd=made.path, check=False)
    assert done.returncode == 0


def test_numbers_and_parents_form_a_chain(home: Path, tables: tuple[PublishedTable, ...]) -> None:
    made = [publish_version(home, tables, version) for version in (1, 2, 3)]
    assert [release.number for release in made] == [1, 2, 3]
    assert [release.parent_release_id for release in made] == [None, made[0].release_id, made[1].release_id]
    listed = list_releases(home)
    assert [summary.release_id for summary in listed] == [release.release_id for release in reversed(made)]
    assert [summary.is_current for summary in listed] == [True, False, False]


def test_the_same_build_again_changes_nothing(home: Path, tables: tuple[PublishedTable, ...]) -> None:
    first = publish_version(home, tables, 1)
    publish_version(home, tables, 2)
    before = _bytes(first.path)
    # an older build published again becomes current again, under its own number and parent
    again = publish_version(home, tables, 1)
    assert (again.is_identical, again.number, again.parent_release_id) == (True, 1, None)
    assert _bytes(first.path) == before
    current = current_release(home)
    assert current is not None
    assert current.release_id == first.release_id
    assert len(list_releases(home)) == 2


def test_two_homes_give_the_same_parquet(tmp_path: Path, tables: tuple[PublishedTable, ...]) -> None:
    one, other = (publish_version(tmp_path / name, tables, 1) for name in ("a", "b"))
    assert one.release_id == other.release_id
    assert one.manifest.tables == other.manifest.tables
    parquet = [
        {path: seal for path, seal in _bytes(made.path).items() if path.startswith("parquet/")}
        for made in (one, other)
    ]
    assert parquet[0] == parquet[1]


def test_other_content_under_the_same_id_is_never_written(
    home: Path, tables: tuple[PublishedTable, ...]
) -> None:
    made = publish_version(home, tables, 1)
    before = _bytes(made.path)
    with pytest.raises(ExportError, match="these tables differ from this build: institution_year;"):
        publish_version(home, tables, 1, n_institutions=39)
    assert _bytes(made.path) == before
    assert files_of(home / "releases") == [f"{made.release_id}/{path}" for path in files_of(made.path)]


def _nothing() -> None:
    return None


def test_a_damaged_release_is_not_taken_for_identical(home: Path, tables: tuple[PublishedTable, ...]) -> None:
    made = publish_version(home, tables, 1)
    _flip(made.path / "parquet/factor_used/part-0.parquet")
    with pytest.raises(ExportError, match="damaged"):
        publish_version(home, tables, 1)


class ForgedVerdict(Exception):
    """What the gate's own check raises."""


def _refuse_at(call: int) -> Callable[[], None]:
    calls = iter(range(100))

    def confirm() -> None:
        if next(calls) == call:
            raise ForgedVerdict("another build's verdict")

    return confirm


@pytest.mark.parametrize("call", [0, 1])
@pytest.mark.parametrize("version", [1, 2])
def test_a_verdict_that_is_not_this_builds_leaves_everything(
    home: Path, tables: tuple[PublishedTable, ...], call: int, version: int
) -> None:
    publish_version(home, tables, 1)
    made = publish_version(home, tables, 3)
    before = _bytes(home)
    with pytest.raises(ForgedVerdict):
        publish_version(home, tables, version, confirm=_refuse_at(call))
    assert _bytes(home) == before
    assert os.readlink(home / "current") == f"releases/{made.release_id}"


def test_a_failing_verdict_is_refused_before_it_is_confirmed(
    home: Path, tables: tuple[PublishedTable, ...]
) -> None:
    failing = VerdictFacts(outcome="fail", n_fail=3, n_warn=0, digest="x")
    build = BuildFacts(as_of=AS_OF, code_version="t", fingerprint=fingerprint(1), build_id="b")
    with duckdb.connect() as con:
        fill(con)
        with pytest.raises(ExportError, match="3 rules fail"):
            publish(con, home, tables, build, [], [], failing, {}, _nothing)
    assert not home.exists()


def test_the_release_table_must_know_this_release(home: Path, tables: tuple[PublishedTable, ...]) -> None:
    build = BuildFacts(as_of=AS_OF, code_version="t", fingerprint=fingerprint(1), build_id="b")
    with duckdb.connect() as con:
        fill(con)
        con.execute("insert into gate.release values ('20200101-000000000000', null)")
        with pytest.raises(ExportError, match="table release must hold one row"):
            publish(con, home, tables, build, [], [], PASS, {}, _nothing)
    assert current_release(home) is None


def test_a_home_that_cannot_be_written_gives_words(
    tmp_path: Path, tables: tuple[PublishedTable, ...]
) -> None:
    home = tmp_path / "home"
    made = publish_version(home, tables, 1)
    (home / "releases" / f".building-20261120-{fingerprint(2)[:12]}").write_text("a file in the way")
    with pytest.raises(ExportError, match="last one still stands"):
        publish_version(home, tables, 2)
    current = current_release(home)
    assert current is not None
    assert current.release_id == made.release_id


def test_the_disk_that_fills_up_leaves_the_old_release(
    home: Path, tables: tuple[PublishedTable, ...], tmp_path: Path
) -> None:
    made = publish_version(home, tables, 1)
    before = _bytes(home)
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[2])]!r};"
        "from pathlib import Path; from exports_world import *;"
        "from exports.messages import ExportError\n"
        "try: publish_version(Path(sys.argv[1]), load_dictionary(Path(sys.argv[2])), 2)\n"
        "except ExportError as error: print(error.text.en); sys.exit(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(home), str(tmp_path / "manifest.json")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert "the last one still stands" in done.stdout
    assert _bytes(home) == before
    assert verify(made.path) == []


@pytest.mark.parametrize(
    "name", ["parquet", "manifest.json", "Inventory.duckdb", "../x", ".hidden", "", "a\\b"]
)
def test_extras_cannot_take_a_place_of_ours(
    home: Path, tables: tuple[PublishedTable, ...], tmp_path: Path, name: str
) -> None:
    (tmp_path / "docs").mkdir()
    with pytest.raises(ExportError, match="an extra cannot be called"):
        publish_version(home, tables, 1, extras={name: tmp_path / "docs"})
    assert current_release(home) is None


@pytest.mark.parametrize("kind", ["link", "folder link", "colon", "long"])
def test_nothing_enters_a_release_that_does_not_travel(
    home: Path, tables: tuple[PublishedTable, ...], tmp_path: Path, kind: str
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "secret").mkdir()
    if kind == "link":
        (docs / "hosts").symlink_to("/etc/hosts")
    elif kind == "folder link":
        (docs / "outside").symlink_to(tmp_path / "secret", target_is_directory=True)
    else:
        (docs / ("12:30.html" if kind == "colon" else "x" * 195)).write_text("")
    with pytest.raises(ExportError, match="cannot be part of a release"):
        publish_version(home, tables, 1, extras={"data_docs": docs})
    assert not list((home / "releases").iterdir())


def test_where_links_are_not_permitted_current_json_names_the_release(
    home: Path, tables: tuple[PublishedTable, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_version(home, tables, 1)

    def forbidden(*_: object, **__: object) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr("exports.current.os.symlink", forbidden)
    made = publish_version(home, tables, 2)
    assert (made.is_linked, made.is_current) == (False, True)
    assert "current.json" in made.notes[0].text_en
    # a link that could not be moved on would name yesterday's release
    assert not (home / "current").is_symlink()
    current = current_release(home)
    assert current is not None
    assert current.release_id == made.release_id
    monkeypatch.undo()
    assert publish_version(home, tables, 2).is_linked
    assert os.readlink(home / "current") == f"releases/{made.release_id}"


def test_going_back_holds_until_somebody_goes_forward(home: Path, tables: tuple[PublishedTable, ...]) -> None:
    with pytest.raises(ExportError, match="no release yet"):
        rollback(home)
    first, second = (publish_version(home, tables, version) for version in (1, 2))
    assert rollback(home).release_id == first.release_id
    assert os.readlink(home / "current") == f"releases/{first.release_id}"
    assert [summary.is_withdrawn for summary in list_releases(home)] == [True, False]
    # the next night with the same inputs does not bring back what somebody went back from
    again = publish_version(home, tables, 2)
    assert (again.is_identical, again.is_current) == (True, False)
    assert "withdrawn" in again.notes[0].text_en
    assert os.readlink(home / "current") == f"releases/{first.release_id}"
    # a night with other inputs goes on from the release that stands
    third = publish_version(home, tables, 3)
    assert (third.number, third.parent_release_id) == (3, first.release_id)
    assert rollback(home, second.release_id).release_id == second.release_id
    assert not next(s for s in list_releases(home) if s.release_id == second.release_id).is_withdrawn
    for target in (second.release_id, "20200101-000000000000", "../../etc"):
        with pytest.raises(ExportError):
            rollback(home, target)
    rollback(home, first.release_id)
    with pytest.raises(ExportError, match="first release"):
        rollback(home)
    _flip(third.path / "inventory.duckdb")
    with pytest.raises(ExportError, match="damaged"):
        rollback(home, third.release_id)


def test_a_lost_pointer_is_said_or_taken_from_the_link(
    home: Path, tables: tuple[PublishedTable, ...]
) -> None:
    made = publish_version(home, tables, 1)
    (home / "current.json").unlink()
    current = current_release(home)
    assert current is not None
    assert current.release_id == made.release_id
    for content in ("{", '{"release_id": "../x", "path": "x"}', "[]"):
        (home / "current.json").write_text(content)
        with pytest.raises(ExportError, match=r"current\.json"):
            current_release(home)
    (home / "current.json").write_text('{"release_id": "20200101-000000000000", "path": ""}')
    with pytest.raises(ExportError, match="is gone"):
        current_release(home)


def test_a_plan_needs_a_fingerprint(home: Path) -> None:
    with pytest.raises(ExportError):
        plan_release(home, AS_OF, "../../etc/passwd")


def test_verifying_and_listing_load_no_engine() -> None:
    script = (
        "import sys, exports.manifest, exports.current;"
        "heavy = {'duckdb', 'pyarrow', 'polars', 'dagster', 'dbt', 'great_expectations', 'pandas'};"
        "sys.exit(1 if heavy & set(sys.modules) else 0)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0


def _flip(path: Path) -> None:
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
