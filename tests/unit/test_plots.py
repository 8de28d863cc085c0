"""Pictures in the metadata of assets are SVG that a browser draws, whatever the labels say."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

import pytest

from orchestration.plots import stacked_bars

NAMESPACE = "{http://www.w3.org/2000/svg}"


def _drawn(labels: list[str], series: dict[str, list[float]], *, log: bool = False) -> ElementTree.Element:
    text = stacked_bars(labels, series, "rows by file", log=log).md_str or ""
    start = "![rows by file](data:image/svg+xml;base64,"
    assert text.startswith(start)
    return ElementTree.fromstring(base64.b64decode(text[len(start) : -1]))


def _bars(picture: ElementTree.Element) -> list[tuple[float, float]]:
    return [
        (float(bar.attrib["x"]), float(bar.attrib["width"]))
        for bar in picture.iter(f"{NAMESPACE}rect")
        if bar.attrib["height"] == "15"
    ]


def test_bars_are_as_long_as_their_numbers_and_stand_behind_each_other() -> None:
    bars = _bars(_drawn(["a", "b"], {"loaded": [30, 10], "quarantined": [10, 0]}))
    widths = [width for _, width in bars]
    assert widths == pytest.approx([255.0, 85.0, 85.0, 0.0], abs=0.1)
    assert bars[1][0] == pytest.approx(bars[0][0] + 255.0, abs=0.1)


def test_on_a_logarithmic_scale_a_small_number_is_seen_beside_a_large_one() -> None:
    (_, large), (_, small) = _bars(_drawn(["a", "b"], {"rows": [999_999, 9]}, log=True))
    assert (large, small) == pytest.approx((340.0, 340.0 / 6), abs=0.1)


def test_a_hostile_label_is_text() -> None:
    picture = _drawn(["</text><script>x</script>", "报表 & \x07.csv"], {"rows": [1, 2]})
    texts = [text.text for text in picture.iter(f"{NAMESPACE}text")]
    assert "</text><script>x</script>" in texts
    assert picture.find(f".//{NAMESPACE}script") is None
    assert any(text and text.startswith("报表 & ") for text in texts)


def test_nothing_to_draw_is_a_picture_too() -> None:
    assert _bars(_drawn(["-"], {"rows": [0]})) == [(17.0, 0.0)]
