"""Small pictures for asset metadata, where people would look rather than read.

Belongs here: drawing with matplotlib into a data URI. Does not belong here: choosing what is drawn.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import dagster as dg

_COLOURS = ("#2f6f8f", "#d08c3f", "#8a8f94", "#b0413e")


def stacked_bars(
    labels: Sequence[str], series: dict[str, Sequence[float]], title: str, *, log: bool = False
) -> dg.MarkdownMetadataValue:
    """Horizontal bars, one per label, one colour per series. Labels are drawn in ASCII: fonts differ by machine."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = [label.encode("ascii", "replace").decode() for label in labels]
    figure = Figure(figsize=(6.4, 0.9 + 0.28 * len(labels)), layout="constrained")
    axes = figure.subplots()
    left = [0.0] * len(labels)
    for (name, values), colour in zip(series.items(), _COLOURS, strict=False):
        axes.barh(drawn, list(values), left=left, color=colour, label=name)
        left = [start + value for start, value in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set_title(title, fontsize=9, loc="left")
    axes.tick_params(labelsize=7)
    if log:
        axes.set_xscale("symlog")
    if len(series) > 1:
        axes.legend(fontsize=7, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    encoded = base64.b64encode(picture.getvalue()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")
