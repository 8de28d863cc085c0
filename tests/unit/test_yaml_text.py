"""YAML that people write: one reader, safe types, bounded nesting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ingestion.contracts import yaml_text
from ingestion.contracts.messages import Refusal
from ingestion.layouts.files import load_layouts, shipped_folders

ROOT = Path(__file__).parent.parent.parent


def test_every_shipped_document_means_what_the_plain_reader_says() -> None:
    folders = ("ingestion", "quality", "examples", "dbt_project/models", "dbt_project/seeds")
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.yml"))]
    assert len(paths) > 50
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert yaml_text.parsed(text) == yaml.safe_load(text), path


def test_brackets_without_end_are_refused_and_do_not_end_the_process() -> None:
    # in a process of its own: the compiled parser alone would end it
    code = (
        "import yaml; from ingestion.contracts import yaml_text\n"
        "for text in ('[' * 100_000, '[' * 100_000 + ']' * 100_000, '- ' * 50_000 + 'a', '{a: ' * 50_000):\n"
        "    try: yaml_text.parsed(text)\n"
        "    except yaml.YAMLError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert run.stdout.splitlines() == ["nested deeper than 100, line 1"] * 4, run.stderr


def test_a_document_as_deep_as_the_bound_is_read() -> None:
    found = yaml_text.parsed("[" * 100 + "]" * 100)
    for _ in range(99):
        assert len(found) == 1
        found = found[0]
    assert found == []


def test_types_beyond_the_plain_ones_are_refused() -> None:
    with pytest.raises(yaml.YAMLError):
        yaml_text.parsed("!!python/object/apply:os.getcwd []")


def test_a_changed_layout_is_read_again(tmp_path: Path) -> None:
    shipped = next(path for folder in shipped_folders() for path in folder.glob("intervals_csv.yml"))
    text = shipped.read_text(encoding="utf-8")
    path = tmp_path / "own.yml"
    path.write_text(text, encoding="utf-8")
    (first,) = load_layouts([tmp_path])
    assert load_layouts([tmp_path])[0] is first
    path.write_text(text.replace(f"id: {first.id}", "id: own.intervals"), encoding="utf-8")
    (second,) = load_layouts([tmp_path])
    assert (second.id, second.digest == first.digest) == ("own.intervals", False)
    path.write_text("id: [", encoding="utf-8")
    with pytest.raises(Refusal, match="own"):
        load_layouts([tmp_path])
