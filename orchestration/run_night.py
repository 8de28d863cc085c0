"""Runs one night in this process: the same Dagster job that the schedule starts.

Belongs here: running the job and gathering what it left for the person who waits. Imports dagster, so the
commands that only read must not import this module.
"""

from __future__ import annotations

import logging
import os
import re
import time
import warnings
from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration import night as nights
from orchestration.defs.resources import FETCHED_TAG, write_instance_config
from orchestration.event_log import instance_of_a_night
from orchestration.settings import Settings, as_environment


@dataclass
class Outcome:
    """How a run of a job ended. `error` is the sentence of the step that failed, if one did."""

    is_success: bool
    seconds: float
    failed_step: str | None
    error: str | None
    gate_ran: bool


def activate(settings: Settings) -> None:
    """Make these settings the ones that every step of this process loads."""
    for name in [name for name in os.environ if name.startswith("TANCANG_")]:
        del os.environ[name]
    os.environ.update(as_environment(settings))
    os.environ["DAGSTER_HOME"] = str(settings.paths.dagster)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


def run_job(settings: Settings, job_name: str) -> Outcome:
    """Execute a job of the code location against the home's own Dagster instance; its feeds were asked before."""
    activate(settings)
    write_instance_config(settings)
    warnings.filterwarnings("ignore")
    logging.getLogger("dagster").setLevel(logging.ERROR)
    from orchestration.definitions import defs

    began = time.monotonic()
    with dg.DagsterInstance.from_ref(instance_of_a_night(settings.paths.dagster)) as instance:
        result = defs.resolve_job_def(job_name).execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags={FETCHED_TAG: "true"},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    failed = [event for event in result.all_node_events if event.is_step_failure]
    succeeded = {event.node_name for event in result.all_node_events if event.is_step_success}
    return Outcome(
        is_success=result.success,
        seconds=time.monotonic() - began,
        failed_step=failed[0].node_name if failed else None,
        error=_sentence(failed[0]) if failed else None,
        gate_ran=any(name and "verdict" in name for name in succeeded),
    )


def _sentence(event: Any) -> str:
    """The innermost message of a failed step, without its traceback."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return re.sub(r"^[\w.]+: ", "", str(error.message).strip()) if error else "unknown"


def gate_facts(settings: Settings) -> tuple[Any, list[tuple[str, str, str, str, str]]]:
    """The gate's summary and the refused files of the build in the warehouse."""
    from orchestration.defs.resources import writer
    from quality.catalogue import load_catalogue
    from quality.results import read_results
    from quality.summary import summarise
    from quality.waivers import load_waivers

    night = nights.resume(settings)
    waivers = load_waivers(night.home.waivers, load_catalogue())
    with writer(settings) as con:
        refused = con.execute(
            "select path, reason_zh, reason_en, mend_zh, mend_en from raw.files where outcome = 'refused' order by path"
        ).fetchall()
        results = read_results(con)
    return summarise(results, waivers, night.as_of), refused
