"""Command: `python -m examples.district.generator [OUT]` writes all worlds and the truth below OUT."""

from __future__ import annotations

import sys
from pathlib import Path

from examples.district.generator.worlds import write_all

if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent)
