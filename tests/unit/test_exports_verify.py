"""verify: any changed, missing or extra file is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from exports_world import dictionary, publish_version

from exports.manifest import canonical_bytes, checksum_bytes, read_manifest, verify
from exports.seal import files_of


@pytest.fixture
def release(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.html").write_text("<p>ok</p>")
    (docs / "empty.txt").write_text("")
    return publish_version(tmp_path / "home", dictionary(tmp_path), 1, extras={"data_docs": docs}).path


def test_one_flipped_byte_in_any_file_is_found_and_named(release: Path) -> None:
    files = files_of(release)
    assert len(files) >= 10
    for file in files:
        path = release / file
        content = path.read_bytes()
        path.chmod(0o644)
        places = {0, len(content) // 2, len(content) - 1} if content else {0}
        for place in places:
            changed = bytearray(content or b"\0")
            changed[place] ^= 0x20
            path.write_bytes(changed)
            named = {problem.path for problem in verify(release)}
            if file.startswith("manifest."):
                # the two speak for each other; a changed list of files may accuse others beside itself
                assert "manifest.json" in named, (file, place)
            else:
                assert named == {file}, (file, place)
        path.write_bytes(content)
    assert verify(release) == []


def test_missing_extra_and_linked_files_are_named(release: Path) -> None:
    (release / "parquet/factor_used/part-0.parquet").unlink()
    (release / "parquet/factor_used/part-1.parquet").write_text("")
    (release / "notes.txt").write_text("hello")
    (release / "data_docs/index.html").unlink()
    (release / "data_docs/index.html").symlink_to("/etc/hosts")
    (release / "elsewhere").symlink_to("/etc", target_is_directory=True)
    problems = {problem.path: problem for problem in verify(release)}
    assert {path: problem.kind for path, problem in problems.items()} == {
        "parquet/factor_used/part-0.parquet": "missing",
        "parquet/factor_used/part-1.parquet": "extra",
        "notes.txt": "extra",
        "data_docs/index.html": "unreadable",
        "elsewhere": "extra",
    }
    for path, problem in problems.items():
        assert path in problem.text_zh
        assert path in problem.text_en


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256"])
def test_a_missing_manifest_or_checksum_is_named(release: Path, name: str) -> None:
    (release / name).unlink()
    assert [(problem.path, problem.kind) for problem in verify(release)] == [(name, "missing")]


def test_a_manifest_that_contradicts_itself_is_found_even_with_a_right_checksum(release: Path) -> None:
    original = read_manifest(release)

    def problems_after(content: bytes) -> list[str]:
        for name, new in (("manifest.json", content), ("manifest.sha256", checksum_bytes(content))):
            (release / name).chmod(0o644)
            (release / name).write_bytes(new)
        return [problem.kind for problem in verify(release)]

    assert problems_after(canonical_bytes(original)) == []
    table = original.tables[0].model_copy(update={"content_sha256": "0" * 64})
    failing = original.verdict.model_copy(update={"outcome": "fail"})
    for update in (
        {"release_id": "20261120-000000000000"},
        {"fingerprint": "0" * 64},
        {"verdict": failing},
        {"tables": (table, *original.tables[1:])},
    ):
        assert "inconsistent" in problems_after(canonical_bytes(original.model_copy(update=update)))
    loose = json.dumps(original.model_dump(mode="json")).encode()
    assert problems_after(loose) == ["inconsistent"]
    assert problems_after(b"{}") == ["unreadable"]


def test_a_release_under_another_name_is_not_that_release(release: Path) -> None:
    other = release.with_name("20261121-000000000000")
    shutil.copytree(release, other)
    assert [problem.kind for problem in verify(other)] == ["inconsistent"]
