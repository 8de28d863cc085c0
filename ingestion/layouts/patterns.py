"""Regular expressions of layouts that no text can make run for ever.

Belongs here: telling an expression whose time doubles with each letter of the text. Does not belong here: what an
expression stands for (`model`) or who uses it.

An expression is the user's, the text is the sender's: a cell of forty letters must not hold the night. Time grows
without bound where a repetition stands inside a repetition, or repeats alternatives that begin alike, because the same
text can then be divided in ever more ways. Both can be written otherwise, so both are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_OFTEN = 16
"""A repetition of at most this many is no loop: `\\d{1,4}` inside another one stays cheap."""
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


@lru_cache(maxsize=1024)
def compiled(pattern: str | None) -> str | None:
    """The expression itself. Raises ValueError for one that is wrong or can take for ever.

    Layouts of one form repeat most of their expressions, so each is looked at once.
    """
    if pattern is None:
        return None
    try:
        tree = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    if any(_is_explosive(body) for body in _loops(tree)):
        raise ValueError(
            f"{pattern!r} repeats what repeats itself or begins alike, which can take for ever on a long text: "
            "write one repetition, or limit the inner one, as in {1,9}"
        )
    return pattern


def _loops(tree: Any) -> Iterator[Any]:
    """Bodies of all repetitions without a small limit."""
    for operation, argument in tree:
        if operation in _REPEATS and argument[1] > _OFTEN:
            yield argument[2]
        for part in _parts(argument):
            yield from _loops(part)


def _parts(argument: Any) -> Iterator[Any]:
    """Expressions inside one operation."""
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _parts(part)


def _is_explosive(body: Any) -> bool:
    return next(_loops(body), None) is not None or any(_begins_alike(branch) for branch in _branches(body))


def _branches(tree: Any) -> Iterator[list[Any]]:
    for operation, argument in tree:
        if operation is _constants.BRANCH:
            yield argument[1]
        for part in _parts(argument):
            yield from _branches(part)


def _begins_alike(alternatives: list[Any]) -> bool:
    """Whether two alternatives can begin with one letter; what does not begin with a letter may with any."""
    letters = [
        alternative[0][1]
        for alternative in alternatives
        if len(alternative) and alternative[0][0] is _constants.LITERAL
    ]
    return len(letters) < len(alternatives) or len(set(letters)) < len(letters)
