"""YAML that people write, read one way everywhere: safe types only, by the compiled parser, nesting bounded.

Belongs here: text → plain objects. Does not belong here: what a document means, or finding files.
"""

from __future__ import annotations

from typing import Any

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The compiled parser is eight times as fast; where PyYAML was built without it the other reads the same."""
MAX_DEPTH = 100
"""No declaration needs ten. The compiled parser has no bound of its own: brackets without end would end the process."""


def parsed(text: str) -> Any:
    """The document. Raises yaml.YAMLError for what is no YAML or is nested deeper than MAX_DEPTH."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark = event.start_mark
                line = "" if mark is None else f", line {mark.line + 1}"
                raise yaml.YAMLError(f"nested deeper than {MAX_DEPTH}{line}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.load(text, Loader=_Loader)
