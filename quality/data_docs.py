"""Data Docs that open from disk, without a network and without telling anybody.

Here belongs what happens to Great Expectations' pages after they are written: shipped assets instead of
outside ones, no tracking pixel, newsletter or outside link, no path of the machine that wrote them. What is
checked stands in checkpoint.py.
"""

from __future__ import annotations

import re
import shutil
import sys
from functools import cache
from pathlib import Path

from ingestion.contracts import yaml_text
from quality.messages import QualityError

VENDOR = Path(__file__).parent / "vendor"

# address that a page asks for -> shipped file; None: named by the pages but never used
_ASSETS_FILE = VENDOR / "assets.yml"

LOGO = "static/images/logo-long-vector.svg"
# what GE copies along for tutorials: 3.4 MB that no page of ours shows
_UNUSED = (
    "images/*.gif",
    "images/iterative-dev-loop.png",
    "images/short-logo*",
    "images/logo-long.png",
    "fonts",
    "styles",
)

_SCRIPT = re.compile(r'<script\s+src="([^"]+)"[^>]*>\s*</script>')
_LINK = re.compile(r'<link\b[^>]*\bhref="([^"]+)"[^>]*>')
_LOGO_IMG = re.compile(r'src="https://[^"]*/logo-long\.png\?[^"]*"')
_FOOTER = re.compile(r"<footer>.*?</footer>", re.DOTALL)
_OUTSIDE_LINK = re.compile(r'<a\b[^>]*\bhref="https?://[^"]*"[^>]*>(.*?)</a>', re.DOTALL)
_DARK_LOGO = re.compile(
    r"\.navbar-brand a \{[^}]*url\('https?://[^}]*\}\s*\.navbar-brand a img \{[^}]*\}", re.DOTALL
)
_FIXED_FOOTER = re.compile(r"footer \{\s*position: fixed;[^}]*\}", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LOAD_TIME = re.compile(r">\d{8}T\d{6}\.\d{6}Z<")
_SOURCE_PATH = re.compile(r'(File (?:"|&quot;|&#34;))[^"&]*?/(?:site-packages|lib/python[\d.]+)/')
_LEFT_OUTSIDE = re.compile(
    r"""(?:\b(?:src|href|action|data-src)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?)(?:https?:)?//[^"')\s>]+""",
    re.IGNORECASE,
)


class DataDocsError(QualityError):
    """The pages cannot be made to work without a network."""


def make_offline(site: Path, machine_paths: tuple[Path, ...] = ()) -> None:
    """Rewrite every page of a site that Great Expectations has just built, in place."""
    shutil.copytree(VENDOR, site / "vendor", ignore=shutil.ignore_patterns(_ASSETS_FILE.name))
    _drop_unused(site / "static")
    hidden = tuple(f"{path}/" for path in (*machine_paths, Path(sys.prefix)))
    for page in sorted(site.rglob("*.html")):
        depth = len(page.relative_to(site).parts) - 1
        text = _offline_page(page.read_text(encoding="utf-8"), "../" * depth or "./", hidden)
        left = outside_references(text)
        if left:
            raise DataDocsError(
                f"数据文档页面 {page.name} 仍引用外部地址：{left[0]}。",
                f"Data Docs page {page.name} still refers outside: {left[0]}.",
            )
        page.write_text(text, encoding="utf-8", newline="\n")


def outside_references(text: str) -> list[str]:
    """Every src, href, url() or @import of a page or style sheet that would leave the disk."""
    return [found.group(0) for found in _LEFT_OUTSIDE.finditer(text)]


def _offline_page(text: str, root: str, hidden: tuple[str, ...]) -> str:
    if "vegaEmbed(" in text:
        raise DataDocsError(
            "数据文档页面需要未随附的绘图库 vega。", "a Data Docs page needs vega, which is not shipped."
        )
    text = _SCRIPT.sub(lambda found: _script(found, root), text)
    text = _LINK.sub(lambda found: _style(found, root), text)
    text = _LOGO_IMG.sub(f'src="{root}{LOGO}"', text)
    text = _FOOTER.sub("", text)
    text = _DARK_LOGO.sub("", text)
    text = _FIXED_FOOTER.sub("", text)
    text = _OUTSIDE_LINK.sub(r"\1", text)
    text = _LOAD_TIME.sub(">-<", text)
    text = _SOURCE_PATH.sub(r"\1", text)
    for path in hidden:
        text = text.replace(path, "…/")
    return _number_uuids(text)


def _script(found: re.Match[str], root: str) -> str:
    url = found.group(1)
    if not url.startswith("http"):
        return found.group(0)
    shipped = _shipped(url)
    return f'<script src="{root}vendor/{shipped}"></script>' if shipped else ""


def _style(found: re.Match[str], root: str) -> str:
    url = found.group(1)
    if not url.startswith("http"):
        # GE counts the depth of its own icon wrongly on validation pages
        return re.sub(r'href="[./]*static/', f'href="{root}static/', found.group(0))
    return f'<link rel="stylesheet" href="{root}vendor/{_shipped(url)}">'


def _shipped(url: str) -> str | None:
    assets = _assets()
    if url not in assets:
        raise DataDocsError(
            f"数据文档引用了未随附的文件：{url}。", f"Data Docs ask for a file that is not shipped: {url}."
        )
    return assets[url]


@cache
def _assets() -> dict[str, str | None]:
    assets: dict[str, str | None] = yaml_text.parsed(_ASSETS_FILE.read_text(encoding="utf-8"))
    return assets


def _number_uuids(text: str) -> str:
    """Random element ids become numbers in order of appearance: equal builds give equal pages."""
    names: dict[str, str] = {}
    return _UUID.sub(lambda found: names.setdefault(found.group(0), f"part-{len(names) + 1}"), text)


def _drop_unused(static: Path) -> None:
    for pattern in _UNUSED:
        for path in static.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
