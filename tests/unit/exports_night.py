"""One small night as a process of its own, for tests that kill it: exports_night.py HOME MANIFEST VERSION [STEP]."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from exports_world import publish_version  # noqa: E402

from exports.dictionary import load_dictionary  # noqa: E402


def main() -> None:
    home, manifest, version = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    deadly = sys.argv[4] if len(sys.argv) > 4 else None

    def on_step(step: str) -> None:
        if step == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    print("started", flush=True)
    publish_version(home, load_dictionary(manifest), version, on_step=on_step)


if __name__ == "__main__":
    main()
