"""Layout files: loading them from folders, and the files that stand for one form and edition in every shape.

Belongs here: folders, `shapes` and `based_on`, and what they become before a layout is validated. Does not belong
here: the layout language itself (`model`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ingestion.contracts import yaml_text
from ingestion.contracts.messages import Message, Refusal
from ingestion.layouts.model import Layout
from ingestion.reference import item_names

SHIPPED = Path(__file__).parent.parent / "sources"


def shipped_folders() -> list[Path]:
    return sorted(SHIPPED.glob("*/layouts"))


def load_layouts(folders: list[Path]) -> list[Layout]:
    """All layouts of the given folders, ordered by id; one id standing twice is refused."""
    paths = [path for folder in folders for path in sorted(folder.glob("**/*.yml"))]
    return list(_layouts_of_texts(tuple((path, _text(path)) for path in paths)))


@lru_cache(maxsize=4)
def _layouts_of_texts(texts: tuple[tuple[Path, str], ...]) -> tuple[Layout, ...]:
    """What the texts say, once per text: every step of a night reads the files again and mostly finds the same."""
    documents = {path: _parsed(path, text) for path, text in texts}
    editions = {
        str(document.get("id")): document for document in documents.values() if is_of_an_edition(document)
    }
    found: dict[str, tuple[Path, Layout]] = {}
    for path, document in documents.items():
        for layout in _layouts(path, document, editions):
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
    return tuple(found[key][1] for key in sorted(found))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _bad_layout(path, error) from error


def _parsed(path: Path, text: str) -> Any:
    try:
        document = yaml_text.parsed(text)
        _refuse_endless(document)
        return document
    except (yaml.YAMLError, ValueError) as error:
        raise _bad_layout(path, error) from error


MAX_NODES = 100_000
"""A layout has some hundred; aliases of aliases make a few lines into millions."""


def _refuse_endless(document: Any) -> None:
    """Raises ValueError when a document with all its aliases written out has more than MAX_NODES parts."""
    n_nodes, waiting = 0, [document]
    while waiting:
        node = waiting.pop()
        n_nodes += 1
        if n_nodes > MAX_NODES:
            raise ValueError(f"written out it has more than {MAX_NODES} parts (aliases of aliases?)")
        if isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _layouts(path: Path, document: Any, editions: dict[str, Any]) -> list[Layout]:
    """The layouts of one file, or a Refusal that names the file and the place in it."""
    try:
        texts = layouts_of(document, editions) if is_of_an_edition(document) else [document]
        return [Layout.model_validate(text) for text in texts]
    except (ValueError, TypeError, KeyError) as error:
        raise _bad_layout(path, error) from error


def _bad_layout(path: Path, error: Exception) -> Refusal:
    return Refusal(
        "bad_layout",
        Message(
            f"版式文件 {path.name} 无法使用: {error}", f"layout file {path.name} cannot be used: {error}"
        ),
        Message("请按 docs/layouts.md 修改该文件", "mend the file as docs/layouts.md describes"),
    )


class FormEdition(BaseModel):
    """One form in one edition. `shapes` are layouts without what they share; `based_on` takes those of another.

    In the texts of a shape `{form}`, `{edition}` and `{labels}` stand for this file's form and edition and for
    a pattern of the form's item names; a lookup `{item_names}` is the map from those names to item codes.
    `fields` are added to every table, so that a form with rooms or classes is a few lines on top of another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: dict[str, str]
    source: str
    target: str
    form: str
    edition: str
    family: str | None = None
    based_on: str | None = None
    fields: dict[str, dict[str, Any]] = Field(default_factory=dict)
    shapes: dict[str, dict[str, Any]] = Field(min_length=1)


def is_of_an_edition(document: Any) -> bool:
    return isinstance(document, dict) and ("shapes" in document or "based_on" in document)


def layouts_of(document: dict[str, Any], others: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The layouts that one file stands for: one for each shape and each kind of file it comes in.

    Raises ValueError when `based_on` names no file of that kind, or files are based on one another.
    """
    edition = FormEdition.model_validate(_completed(document, others, ()))
    labels = item_names(edition.form)
    return [
        _layout(edition, name, shape, kind, labels)
        for name, shape in edition.shapes.items()
        for kind in shape.get("kinds", [shape.get("kind")])
    ]


def _completed(
    document: dict[str, Any], others: dict[str, dict[str, Any]], below: tuple[str, ...]
) -> dict[str, Any]:
    base = document.get("based_on")
    if base is None:
        return document
    if base not in others or base in below:
        raise ValueError(f"based_on: no other layout file with shapes has the id {base}")
    beneath = _completed(others[base], others, (*below, str(document.get("id"))))
    fields = {**beneath.get("fields", {}), **document.get("fields", {})}
    return {**beneath, **document, "fields": fields}


def _layout(
    edition: FormEdition, name: str, shape: dict[str, Any], kind: str, labels: dict[str, str]
) -> dict[str, Any]:
    pattern = "|".join(map(_escaped, labels))

    def put(text: str) -> Any:
        if text == "{item_names}":
            return labels
        text = text.replace("{form}", edition.form).replace("{edition}", edition.edition)
        return text.replace("{labels}", pattern)

    filled = _filled(copy.deepcopy({key: part for key, part in shape.items() if key != "kinds"}), put)
    for table in filled["tables"]:
        table["fields"] = {**table["fields"], **edition.fields}
    return {
        **filled,
        "id": f"{edition.id}_{name}" + ("_workbook" if kind == "workbook" else ""),
        "title": edition.title,
        "source": edition.source,
        "target": edition.target,
        "form": edition.form,
        "edition": edition.edition,
        "family": edition.family or edition.form,
        "kind": kind,
    }


def _escaped(text: str) -> str:
    return "".join(rf"\{letter}" if letter in r".()[]{}+*?^$|\\" else letter for letter in text)


def _filled(part: Any, put: Callable[[str], Any]) -> Any:
    if isinstance(part, str):
        return put(part)
    if isinstance(part, list):
        return [_filled(item, put) for item in part]
    if isinstance(part, dict):
        return {key: _filled(item, put) for key, item in part.items()}
    return part
