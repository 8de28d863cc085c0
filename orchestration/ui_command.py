"""`tancang ui`: Dagster's stock web UI and daemon on 127.0.0.1, until interrupted.

Two plain processes instead of `dagster dev`: that one reloads definitions for development, and its children
outlive an interrupt.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from orchestration.defs.resources import write_instance_config
from orchestration.report import Teller
from orchestration.run_night import activate
from orchestration.settings import CHECKOUT, Settings


def run(settings: Settings, port: int) -> int:
    """Serve until Ctrl-C or TERM; both children end with it. Returns the exit code of the one that died first."""
    from orchestration.dbt_build import current_manifest

    activate(settings)
    write_instance_config(settings)
    current_manifest()
    _make_stores()
    binaries = Path(sys.executable).parent
    workspace = str(CHECKOUT / "workspace.yaml")
    commands = [
        [str(binaries / "dagster-webserver"), "-w", workspace, "-h", "127.0.0.1", "-p", str(port)],
        [str(binaries / "dagster-daemon"), "run", "-w", workspace],
    ]
    teller = Teller(settings.lang)
    children = [
        subprocess.Popen(command, cwd=CHECKOUT, env=dict(os.environ), start_new_session=True)
        for command in commands
    ]

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    teller.say(
        f"网页界面: http://127.0.0.1:{port} (Ctrl-C 结束)",
        f"web UI: http://127.0.0.1:{port} (Ctrl-C ends it)",
    )
    try:
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        return next(child.returncode for child in children if child.poll() is not None) or 1
    except KeyboardInterrupt:
        return 0
    finally:
        for child in children:
            _end(child)


def _make_stores() -> None:
    """Both children would make the stores of a new home at one time."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        instance.get_runs(limit=1)
        instance.all_instigator_state()
        instance.event_log_storage.get_maximum_record_id()


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child and everything it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
