"""Layouts from folders: the shipped ones, the home's, and those a user names.

Belongs here: reading YAML, refusing what is no layout, one id standing twice. Does not belong here: what a
layout may say (`layouts`).
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from ingestion.contracts.messages import Message, Refusal
from ingestion.layouts import Layout

SHIPPED = Path(__file__).parent / "sources"


def shipped_folders() -> list[Path]:
    return sorted(SHIPPED.glob("*/layouts"))


def read_layout(path: Path) -> Layout:
    """One layout file, or a Refusal that names the file and the place in it."""
    try:
        return Layout.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refusal(
            "bad_layout",
            Message(
                f"版式文件 {path.name} 无法使用: {error}", f"layout file {path.name} cannot be used: {error}"
            ),
            Message("请按 docs/layouts.md 修改该文件", "mend the file as docs/layouts.md describes"),
        ) from error


def load_layouts(folders: list[Path]) -> list[Layout]:
    """All layouts of the given folders, ordered by id; one id standing twice is refused."""
    found: dict[str, tuple[Path, Layout]] = {}
    for folder in folders:
        for path in sorted(folder.glob("**/*.yml")):
            layout = read_layout(path)
            if layout.id in found:
                other = found[layout.id][0]
                raise Refusal(
                    "layout_twice",
                    Message(
                        f"版式 {layout.id} 重复: {other.name}, {path.name}",
                        f"layout {layout.id} stands twice: {other.name}, {path.name}",
                    ),
                    Message("请改其中一个的 id", "rename one of the two"),
                )
            found[layout.id] = (path, layout)
    return [found[key][1] for key in sorted(found)]
