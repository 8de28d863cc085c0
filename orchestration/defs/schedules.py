"""When nights run: jobs per act, the nightly schedule, the landing sensor.

Belongs here: selections and triggers. Both triggers ask the same question as the command line, so a night
with nothing to do starts no run.
"""

from __future__ import annotations

import hashlib

import dagster as dg

from ingestion import archive
from orchestration import night as nights
from orchestration.defs.landing import FETCHED
from orchestration.defs.release import RELEASE
from orchestration.settings import load_settings

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="One whole night: seal, load, build, judge, publish (每夜作业).",
)
rebuild = dg.define_asset_job(
    "rebuild",
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.groups("release")
    - dg.AssetSelection.assets(FETCHED),
    executor_def=dg.in_process_executor,
    description="Everything up to the verdict, from the archive, without publishing (重建, 不发布).",
)
publish_only = dg.define_asset_job(
    "publish_only",
    selection=dg.AssetSelection.assets(RELEASE),
    executor_def=dg.in_process_executor,
    description="Publish the last build, if its own verdict passes (仅发布).",
)


@dg.schedule(
    job=nightly,
    cron_schedule="0 2 * * *",
    execution_timezone="Asia/Shanghai",
    description="Every night at two; skipped when neither files, declarations nor the calendar changed.",
)
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    if not nights.is_anything_new(load_settings()):
        return dg.SkipReason("nothing new: files, declarations and calendar are those of the current release")
    return dg.RunRequest()


@dg.sensor(
    job=nightly,
    minimum_interval_seconds=60,
    description="Starts a night when the content of landing changed and has been still for one look.",
)
def landing_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    settings = load_settings()
    seen = hashlib.sha256()
    n_files = 0
    for source, path in archive.waiting(settings.paths):
        facts = path.stat()
        seen.update(f"{source}/{path.name}:{facts.st_size}:{facts.st_mtime_ns}\n".encode())
        n_files += 1
    now = seen.hexdigest()
    last, _, done = (context.cursor or "").partition(" ")
    if n_files == 0 or now == done:
        return dg.SkipReason("landing holds nothing new")
    if now != last:
        return dg.SensorResult(skip_reason="landing is changing; looking again", cursor=f"{now} {done}")
    if not archive.unsealed(settings.paths):
        # what a night's own feeds put there is sealed by that night
        return dg.SensorResult(skip_reason="all of landing is sealed", cursor=f"{now} {now}")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"landing-{now[:16]}")], cursor=f"{now} {now}")


jobs = [nightly, rebuild, publish_only]
schedules = [every_night]
sensors = [landing_sensor]
