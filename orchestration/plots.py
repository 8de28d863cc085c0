"""Small pictures for asset metadata, where people would look rather than read.

Belongs here: drawing with matplotlib into a data URI. Does not belong here: choosing what is drawn.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import dagster as dg

_COLOURS = ("#2f6f8f", "#d08c3f", "#8a8f94", "#b0413e")
_WIDTH = 6.4
_LETTER_WIDTH = 0.06
"""Inches."""


def stacked_bars(
    labels: Sequence[str], series: dict[str, Sequence[float]], title: str, *, log: bool = False
) -> dg.MarkdownMetadataValue:
    """Horizontal bars, one per label, one colour per series. Labels are drawn in ASCII: fonts differ by machine."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = [label.encode("ascii", "replace").decode() for label in labels]
    height = 0.9 + 0.28 * len(labels)
    figure = Figure(figsize=(_WIDTH, height))
    # margins by the length of the labels: letting the figure find them draws everything twice
    label_width = min(max(map(len, drawn), default=0) * _LETTER_WIDTH, _WIDTH / 2)
    axes = figure.add_axes(
        (
            (label_width + 0.2) / _WIDTH,
            0.4 / height,
            (_WIDTH - label_width - 0.4) / _WIDTH,
            (height - 0.75) / height,
        )
    )
    left = [0.0] * len(labels)
    for (name, values), colour in zip(series.items(), _COLOURS, strict=False):
        axes.barh(drawn, list(values), left=left, color=colour, label=name)
        left = [start + value for start, value in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set_title(title, fontsize=9, loc="left")
    axes.tick_params(labelsize=7)
    if log:
        axes.set_xscale("symlog")
        # powers of ten as plain numbers: their usual form is set like mathematics, which costs more than the picture
        axes.xaxis.set_major_formatter(lambda number, _: f"{number:,.0f}")
    if len(series) > 1:
        axes.legend(fontsize=7, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    encoded = base64.b64encode(picture.getvalue()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")
