"""Small pictures for asset metadata, where people would look rather than read.

Belongs here: drawing bars as SVG into a data URI. Does not belong here: choosing what is drawn.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

import dagster as dg

from ingestion.contracts.names import visible

_COLOURS = ("#2f6f8f", "#d08c3f", "#8a8f94", "#b0413e")
_LETTER, _LINE, _BARS = 7, 20, 340
"""Pixels: the width of a letter, the height of a line, the longest bar."""


def stacked_bars(
    labels: Sequence[str], series: dict[str, Sequence[float]], title: str, *, log: bool = False
) -> dg.MarkdownMetadataValue:
    """Horizontal bars, one per label, one colour per series, the sum behind each."""
    picture = _svg([visible(label) for label in labels], series, title, log=log)
    encoded = base64.b64encode(picture.encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{encoded})")


def _svg(labels: list[str], series: dict[str, Sequence[float]], title: str, *, log: bool) -> str:
    totals = [sum(values) for values in zip(*series.values(), strict=True)]
    longest = max([_length(total, log) for total in totals], default=0.0) or 1.0
    left = _LETTER * max([_width(label) for label in labels], default=0) + 10
    parts = [_text(4, 14, title, "start", "#222")]
    for line, (label, total) in enumerate(zip(labels, totals, strict=True)):
        top = _LINE * (line + 1) + 4
        parts.append(_text(left - 6, top + 12, label, "end", "#444"))
        sofar = 0.0
        for values, colour in zip(series.values(), _COLOURS, strict=False):
            start, end = (_BARS * _length(at, log) / longest for at in (sofar, sofar + values[line]))
            sofar += values[line]
            parts.append(
                f'<rect x="{left + start:.1f}" y="{top}" width="{max(end - start, 0):.1f}" height="15" fill="{colour}"/>'
            )
        behind = left + _BARS * _length(total, log) / longest + 5
        parts.append(_text(behind, top + 12, f"{total:,.10g}", "start", "#444"))
    height, at = _LINE * (len(labels) + 1) + 10, float(left)
    if len(series) > 1:
        for name, colour in zip(series, _COLOURS, strict=False):
            parts.append(f'<rect x="{at:.0f}" y="{height}" width="10" height="10" fill="{colour}"/>')
            parts.append(_text(at + 14, height + 9, name, "start", "#444"))
            at += 30 + _LETTER * _width(name)
        height += _LINE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{max(left + _BARS + 100, int(at))}" height="{height}" '
        f'font-family="sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def _length(number: float, log: bool) -> float:
    return math.log10(1 + max(number, 0)) if log else max(number, 0)


def _width(text: str) -> int:
    """Letters, a Chinese one counted twice."""
    return sum(1 + (ord(letter) > 0x2E80) for letter in text)


def _text(x: float, y: float, text: str, anchor: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
