"""The habits of the house, held by tests: sizes, names, imports, descriptions, one declaration per thing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("ingestion", "orchestration", "quality", "exports", "benchmarks", "examples")
CHECKOUT = Path(__file__).parents[2]


def modules() -> list[Path]:
    return sorted(
        path for name in PACKAGES for path in (CHECKOUT / name).rglob("*.py") if "vendor" not in path.parts
    )


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_module_is_short_and_says_what_belongs_in_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    assert ast.get_docstring(ast.parse(text)), "a module opens with a docstring"
    assert not {"utils", "helpers", "misc", "common"} & set(path.relative_to(CHECKOUT).with_suffix("").parts)


def test_import_layers_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["sql", "--help"],
        ["check", "--help"],
        ["verify", "--help"],
        ["status", "--help"],
        ["queue", "--help"],
        ["explain", "--help"],
    ],
)
def test_commands_that_only_read_load_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['tancang', *{arguments!r}]\n"
        "from orchestration import cli\n"
        "try:\n    cli.app()\nexcept SystemExit:\n    pass\n"
        "print('HEAVY', sorted({'dagster', 'dbt', 'great_expectations', 'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True)
    assert "HEAVY []" in done.stdout, done.stdout[-500:] + done.stderr[-500:]


@pytest.mark.parametrize(
    "body",
    [
        "from pathlib import Path; from orchestration.settings import load_settings; from orchestration import check_command; "
        "check_command.run(load_settings(), Path('examples/district/clean/landing/registers/buildings.csv'), None, as_json=True)",
        "from exports.manifest import verify; from exports.query import run_sql",
        "from orchestration import explain_command",
    ],
)
def test_reading_work_loads_nothing_heavy_either(body: str) -> None:
    program = f"import sys\n{body}\nprint('HEAVY', sorted({{'dagster', 'dbt', 'great_expectations'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True)
    assert "HEAVY []" in done.stdout, done.stdout[-500:] + done.stderr[-500:]


def test_the_lock_file_records_no_address() -> None:
    text = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|--index|--find-links", text)
    assert "--hash=sha256:" in text


def test_the_definitions_are_short() -> None:
    assert len((CHECKOUT / "orchestration/definitions.py").read_text(encoding="utf-8").splitlines()) < 40


def test_every_layout_says_why_it_ignores_what_it_ignores() -> None:
    from ingestion.layouts.files import load_layouts, shipped_folders

    layouts = load_layouts([*shipped_folders(), CHECKOUT / "examples" / "layouts"])
    assert len(layouts) >= 13
    for layout in layouts:
        for table in layout.tables:
            for rule in [*table.ignore_columns, *table.ignore_rows]:
                assert rule.why.zh, layout.id
                assert rule.why.en, layout.id
