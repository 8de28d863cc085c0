"""Documentation is tested: everything a user can name has its place, generated pages are current, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import typer
import yaml
from pydantic import BaseModel

from exports.dictionary import load_dictionary
from ingestion.contracts import profile
from ingestion.contracts.codes import CodeMapping
from ingestion.contracts.corrections import Correction
from ingestion.contracts.freezing import FrozenYear, Restatement
from ingestion.contracts.precedence import Precedence, PrecedenceOverride
from ingestion.feeds import declaration as feeds
from ingestion.layouts import files, reading
from ingestion.layouts import model as layout_model
from ingestion.reference import load_reference
from ingestion.sources import SOURCES, raw_tables
from orchestration.cli import app
from orchestration.dbt_build import current_manifest
from orchestration.settings import Settings
from quality.catalogue import load_catalogue
from quality.waivers import load_waivers

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "docs"
PAGES = sorted(
    page
    for folder in ("", "docs", "examples", "examples/*", "benchmarks")
    for page in CHECKOUT.glob(f"{folder}/*.md".lstrip("/"))
)


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below one heading, up to the next of the same or a higher level."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.M)
    assert found, f"no heading {heading!r}"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found.group(1))}}} ", rest, re.M)
    return rest[: end.start()] if end else rest


def blocks(text: str, kind: str) -> list[str]:
    """Fenced blocks whose info line is `kind`."""
    return re.findall(rf"^```{re.escape(kind)}\n(.*?)^```", text, re.S | re.M)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_and_option_has_its_place(name: str) -> None:
    found = section(text_of("commands.md"), f"tancang {name}")
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option) or parameter.param_type_name == "option":
            for option in parameter.opts:
                assert f"`{option}" in found, f"tancang {name} {option}"
        else:
            assert parameter.name.upper() in found or parameter.name == "query", parameter.name


def test_no_command_is_described_that_is_not_there() -> None:
    described = set(re.findall(r"^## tancang (\S+)$", text_of("commands.md"), re.M))
    assert described == set(COMMANDS)


def test_each_make_target_has_its_place() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    found = section(text_of("commands.md"), "make")
    for target in re.findall(r"^([a-z][a-z-]*):", makefile, re.M):
        assert f"`make {target}`" in found, target


def test_the_tables_page_is_current() -> None:
    assert script("write_tables").page() == text_of("tables.md"), "run docs/write_tables.py"


def test_each_published_table_and_column_has_its_place() -> None:
    page = text_of("tables.md")
    for table in load_dictionary(Path(current_manifest())):
        found = section(page, table.name)
        for column in table.columns:
            assert f"| `{column.name}` | {column.name_zh} |" in found, f"{table.name}.{column.name}"


def test_the_list_of_rules_is_current() -> None:
    page = text_of("data-quality.md")
    assert script("write_rules").page(page) == page, "run docs/write_rules.py"
    assert all(f"`{rule_id}`" in page for rule_id in load_catalogue().ids)


LAYOUT_SECTIONS = {
    layout_model.Layout: "Layout",
    layout_model.Recognise: "recognise",
    layout_model.TableSpec: "tables",
    layout_model.FieldSpec: "fields",
    layout_model.ValueSpec: "values",
    layout_model.SlotSpec: "slots",
    layout_model.UnitSpec: "unit",
    layout_model.IgnoreColumns: "ignore_columns",
    layout_model.IgnoreRows: "ignore_rows",
    layout_model.IgnoreSheets: "ignore_sheets",
    layout_model.UnnamedColumns: "unnamed_columns",
    layout_model.ShiftedRows: "shifted_rows",
    layout_model.Text: "Texts",
    reading.ReadingRules: "readings",
    reading.GapRule: "gaps",
}
PROFILE_SECTIONS = {
    profile.RegionProfile: "Profile",
    profile.Region: "regions",
    profile.RegionGroup: "groups",
    profile.GroupMember: "members",
    profile.Method: "method",
    profile.StandIn: "stand_ins",
    profile.NamedUncertainty: "uncertainties",
    profile.Window: "windows",
    profile.SilenceWindow: "silence_windows",
    Precedence: "precedence",
    profile.PublishedFigure: "published_figures",
}


def keys_of(part: str) -> set[str]:
    """First column of the table below a heading; a cell may name several keys."""
    rows = re.findall(r"^\| (`[^|]+) \|", part, re.M)
    return {key for row in rows for key in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize(("model", "heading"), LAYOUT_SECTIONS.items(), ids=LAYOUT_SECTIONS.values())
def test_each_layout_key_has_its_place(model: type[BaseModel], heading: str) -> None:
    assert keys_of(section(text_of("layouts.md"), heading)) == set(model.model_fields)


def test_each_layout_model_is_documented() -> None:
    models = {
        item
        for item in [*vars(layout_model).values(), *vars(reading).values()]
        if isinstance(item, type)
        and issubclass(item, BaseModel)
        and item.__module__.startswith("ingestion.layout")
        and item is not layout_model.Strict
    }
    assert models == {model for model in LAYOUT_SECTIONS if model.__module__.startswith("ingestion.layout")}


def test_each_key_of_a_form_edition_has_its_place() -> None:
    found = keys_of(section(text_of("layouts.md"), "Editions and shapes"))
    assert found == set(files.FormEdition.model_fields)


def test_the_example_of_an_edition_runs(tmp_path: Path) -> None:
    (block,) = blocks(text_of("layouts.md"), "yaml edition")
    (tmp_path / "mine.yml").write_text(block, encoding="utf-8")
    loaded = files.load_layouts([*files.shipped_folders(), tmp_path])
    assert {layout.edition for layout in loaded if layout.id.startswith("my.")} == {"2027"}


def test_the_targets_of_layouts_are_the_raw_tables() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| `(\w+)` \| [^|]+ \| (.+) \|$", section(text_of("layouts.md"), "Targets"), re.M
    )
    described = {(source, target): set(re.findall(r"`(\w+)`", fields)) for source, target, fields in rows}
    reference = load_reference()
    real = {
        (source, target): schema
        for source in SOURCES
        for target, schema in raw_tables(source, reference).items()
    }
    assert set(described) == set(real)
    for key, fields in described.items():
        # a period gives year, period_kind and period_index; `7` is a state, not a field
        assert fields - {"period", "7"} <= set(real[key].columns), key


FEED_SECTIONS: dict[str, tuple[type[BaseModel], type[BaseModel] | None]] = {
    "Every feed": (feeds.FeedSpec, None),
    "Every feed of another machine": (feeds.Remote, feeds.FeedSpec),
    "rest": (feeds.RestFeed, feeds.Remote),
    "token": (feeds.Token, None),
    "paging": (feeds.Paging, None),
    "cursor": (feeds.RecordCursor, None),
    "database": (feeds.DatabaseFeed, feeds.Remote),
    "sftp": (feeds.SftpFeed, feeds.Remote),
    "folder": (feeds.FolderFeed, feeds.FeedSpec),
}


@pytest.mark.parametrize("heading", FEED_SECTIONS)
def test_each_key_of_a_feed_has_its_place_and_its_default(heading: str) -> None:
    model, base = FEED_SECTIONS[heading]
    found = section(text_of("feeds.md"), heading)
    # kind and address are of every feed, each kind with its own type
    own = set(model.model_fields) - ({*base.model_fields, "kind", "address"} if base else set())
    if model is feeds.FeedSpec:
        own |= {"kind", "address"}
    assert keys_of(found) == own
    for name in own & set(model.model_fields):
        default = model.model_fields[name].default
        if isinstance(default, int | float | str):
            assert f"| `{name}` | `{default}` |" in found, name


def test_the_example_of_feeds_is_valid(tmp_path: Path) -> None:
    (example,) = blocks(text_of("feeds.md"), "yaml feeds")
    (tmp_path / "feeds.yml").write_text(example, encoding="utf-8")
    assert [feed.kind for feed in feeds.load_feeds(tmp_path / "feeds.yml")] == [
        "rest",
        "database",
        "sftp",
        "folder",
    ]


def test_each_code_of_a_failing_feed_has_its_place() -> None:
    folder = CHECKOUT / "ingestion" / "feeds"
    raised = set(
        re.findall(r'"(feed_\w+|secret_missing)",', "".join(p.read_text() for p in folder.glob("*.py")))
    )
    named = set(re.findall(r"`(\w+)`", section(text_of("feeds.md"), "When a feed fails")))
    columns = {"feed_place", "feed_position", "feed_reached", "feed_key", "feed_id"}
    assert raised - columns <= named


@pytest.mark.parametrize(("model", "heading"), PROFILE_SECTIONS.items(), ids=PROFILE_SECTIONS.values())
def test_each_profile_field_has_its_place(model: type[BaseModel], heading: str) -> None:
    assert keys_of(section(text_of("profiles.md"), heading)) == set(model.model_fields)


def test_the_defaults_of_the_method_are_as_described() -> None:
    found = section(text_of("profiles.md"), "method")
    for name, value in profile.Method():
        shown = f"[{', '.join(value)}]" if isinstance(value, tuple) else value
        assert f"| `{name}` | `{shown}` |" in found, name


def test_each_setting_has_its_place() -> None:
    found = section(text_of("home.md"), "Settings")
    named = set(re.findall(r"^\| `TANCANG_(\w+)` \|", found, re.M))
    assert named == {name.upper() for name in Settings.model_fields}
    for name in ("lang", "threads", "memory_limit"):
        default = Settings.model_fields[name].default
        assert f"| `TANCANG_{name.upper()}` | `{default}` |" in found, name


def test_each_field_of_a_correction_has_its_place() -> None:
    found = section(text_of("data-quality.md"), "Mending a value: corrections.yml")
    for name in Correction.model_fields:
        assert f"`{name}`" in found, name


def test_each_field_of_an_override_has_its_place() -> None:
    found = section(text_of("reconciliation.md"), "One key otherwise: precedence.yml")
    assert keys_of(found) == set(PrecedenceOverride.model_fields)


def test_each_field_of_a_code_mapping_has_its_place() -> None:
    found = section(text_of("data-quality.md"), "Settling an unknown code: codes.yml")
    for name in CodeMapping.model_fields:
        assert f"`{name}`" in found, name


def test_each_definition_stands_once_and_in_the_table_of_what_is_computed() -> None:
    page = text_of("definitions.md")
    numbers = [int(number) for number in re.findall(r"^### (\d+)\. ", page, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    rows = re.findall(
        r"^\| (\d+) \| [^|]+ \| (yes|partly|no) \|", section(page, "What is computed today"), re.M
    )
    assert [int(number) for number, _ in rows] == numbers


def test_definitions_name_things_that_exist() -> None:
    project = CHECKOUT / "dbt_project"
    known = {path.stem for path in [*project.rglob("*.sql"), *project.rglob("*.csv")]}
    macros = re.findall(r"macro (\w+)\(", "".join(p.read_text() for p in (project / "macros").glob("*.sql")))
    tables = load_dictionary(Path(current_manifest()))
    columns = {column.name for table in tables for column in table.columns}
    known |= {*macros, *columns, *(table.name for table in tables), *load_catalogue().ids, *layout_model.Layout.model_fields}
    known |= {*profile.Method.model_fields, "release.as_of", "region_year.population"}
    found = section(text_of("definitions.md"), "What is computed today")
    for row in re.findall(r"^\| \d+ \| .+$", found, re.M):
        for name in re.findall(r"`([a-z_.]+)`", row):
            assert name in known, name


@pytest.mark.parametrize(
    "name", [path.relative_to(CHECKOUT).as_posix() for path in sorted(DOCS.glob("*.md"))]
)
def test_yaml_and_toml_examples_are_valid(name: str, tmp_path: Path) -> None:
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    for block in blocks(text, "yaml layout"):
        layout_model.Layout.model_validate(yaml.safe_load(block))
    for block in blocks(text, "yaml profile"):
        profile.RegionProfile.model_validate(yaml.safe_load(block))
    for block in blocks(text, "yaml corrections"):
        assert [Correction.model_validate(item) for item in yaml.safe_load(block)]
    for block in blocks(text, "yaml overrides"):
        assert [PrecedenceOverride.model_validate(item) for item in yaml.safe_load(block)]
    for block in blocks(text, "yaml frozen"):
        assert [FrozenYear.model_validate(item) for item in yaml.safe_load(block)]
    for block in blocks(text, "yaml restatements"):
        assert [Restatement.model_validate(item) for item in yaml.safe_load(block)]
    for block in blocks(text, "yaml codes"):
        assert [CodeMapping.model_validate(item) for item in yaml.safe_load(block)]
    for block in blocks(text, "yaml waivers"):
        (tmp_path / "waivers.yml").write_text(block, encoding="utf-8")
        assert load_waivers(tmp_path / "waivers.yml", load_catalogue())
    for block in blocks(text, "toml settings"):
        Settings.model_validate(tomllib.loads(block))


def test_the_layout_example_reads_its_file_as_shown(tmp_path: Path) -> None:
    page = text_of("layouts.md")
    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts" / "town_summary.yml").write_text(blocks(page, "yaml layout")[0], encoding="utf-8")
    file = tmp_path / "landing" / "direct_report" / "town_2023.csv"
    file.parent.mkdir(parents=True)
    file.write_text(blocks(page, "csv example")[0], encoding="utf-8")
    done = subprocess.run(
        [str(Path(sys.executable).parent / "tancang"), "check", str(file), "--home", str(tmp_path)],
        cwd=tmp_path,
        env={"TANCANG_LANG": "en", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = blocks(page, "text check")[0]
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """Anchors as code hosts make them from headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def test_the_two_readmes_lead_to_each_other_and_show_the_same_output() -> None:
    english = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    chinese = (CHECKOUT / "README.zh-CN.md").read_text(encoding="utf-8")
    assert "README.zh-CN.md" in english.splitlines()[0]
    assert "README.md" in chinese.splitlines()[0]
    assert blocks(english, "text") == blocks(chinese, "text")
    assert len(re.findall(r"^## ", english, re.M)) == len(re.findall(r"^## ", chinese, re.M))
    for page in (english, chinese):
        assert "碳仓 Tancang · 公共机构碳排放数据仓库" in page


_TEXT = {".py", ".sql", ".yml", ".yaml", ".toml", ".md", ".csv", ".svg", ".json", ".xml", ".cfg", ".lock", ""}
# what others wrote is not ours to change
_FOREIGN = ("quality/vendor/", "examples/strangers/landing/", "examples/strangers/LICENSE-", "LICENSE")
_MACHINE_PATH = re.compile(r"(?<![\w./])/(?:work|root|home|Users|mnt|srv)/[\w.-]+")
_HOST = re.compile(r"\bhttps?://([\w.-]+)")
_HOSTS = {"www.w3.org", "127.0.0.1", "localhost"}


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=CHECKOUT, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    names = [name for name in done.stdout.split("\0") if name and not name.startswith(_FOREIGN)]
    return [CHECKOUT / name for name in names if Path(name).suffix in _TEXT and (CHECKOUT / name).is_file()]


def test_no_machine_path_and_no_host_is_written_down() -> None:
    for path in tracked():
        # example files may be in GB18030, in which nothing we look for could hide
        text = path.read_bytes().decode("utf-8", errors="replace")
        found = _MACHINE_PATH.findall(text)
        # an offline test names the host that must not be asked
        hosts = set(_HOST.findall(text)) - _HOSTS if "tests" not in path.parts else set()
        assert not found, f"{path.name}: {found[:3]}"
        assert not hosts, f"{path.name}: {sorted(hosts)}"
