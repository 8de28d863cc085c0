"""The `tancang` command line.

Belongs here: arguments, exit codes (0 fine, 1 verdict or check failed, 2 usage), and one call per command.
Imports nothing heavy at module level: commands that only read must start at once.
"""

from __future__ import annotations

import json as jsonlib
import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

# looking for plugins of pydantic reads the metadata of every installed package, and nobody here has one
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import typer

from ingestion.contracts.messages import Message, Refusal, Told
from orchestration.report import Teller
from orchestration.settings import Settings, load_settings

app = typer.Typer(
    name="tancang",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="碳仓 Tancang · 公共机构碳排放数据仓库 / a carbon warehouse for public institutions",
)

HomeOption = Annotated[Path | None, typer.Option("--home", help="data root, default ./.tancang / 数据目录")]
LandingOption = Annotated[
    Path | None, typer.Option("--landing", help="what arrived; default <home>/landing / 收件目录")
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="region profile, a file or an id / 区域配置")
]
AsOfOption = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="date of the night / 截止日期")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for machines / 输出 JSON")]


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


def _print_json(value: Any) -> None:
    typer.echo(jsonlib.dumps(value, ensure_ascii=False, indent=1, default=str))


@app.command()
def nightly(
    landing: LandingOption = None,
    home: HomeOption = None,
    profile: ProfileOption = None,
    as_of: AsOfOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="build even when nothing is new / 无变化也重建")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Run one whole night: seal, load, build, judge, publish. / 运行一夜: 归档, 读取, 计算, 裁定, 发布。"""
    from orchestration import nightly_command

    settings = load_settings(home=home, landing=landing, profile=profile, as_of=_day(as_of))
    # the clock is read here, once; nothing below asks it again
    settings = settings.model_copy(update={"as_of": settings.as_of or date.today()})
    raise typer.Exit(nightly_command.run(settings, again=again, as_json=json))


@app.command()
def fetch(
    feed: Annotated[str | None, typer.Argument(help="one feed; default: all of feeds.yml / 一个接入")] = None,
    landing: LandingOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Ask the feeds of feeds.yml for what is new and put it into landing. / 读取接入的数据源, 存入收件目录。"""
    from orchestration import fetch_command

    settings = load_settings(home=home, landing=landing)
    raise typer.Exit(fetch_command.run(settings, feed, as_json=json))


@app.command()
def status(home: HomeOption = None, json: JsonOption = False) -> None:
    """Last nights, the current release, what waits in landing, feeds that fail. / 最近几夜, 当前发布, 待处理文件, 失败的接入。"""
    from exports.current import current_release
    from ingestion import archive, landing
    from ingestion.feeds.run import last_runs
    from orchestration.fetch_command import facts, tell
    from orchestration.history import history

    settings = load_settings(home=home)
    paths = settings.paths
    teller = Teller(settings.lang)
    release = current_release(paths.root)
    nights = history(paths.history, 10)
    waiting = (
        [f"{source}/{name}" for source, name, _ in archive.unsealed(paths)] if paths.landing.is_dir() else []
    )
    runs = last_runs(paths)
    passed_over = landing.passed_over(paths) if paths.landing.is_dir() else []
    if json:
        _print_json(
            {
                "release": release.release_id if release else None,
                "nights": nights,
                "waiting": waiting,
                "feeds": [facts(run) for run in runs],
                "not_read": [f"{source}/{name}" for source, name, _ in passed_over],
            }
        )
        return
    teller.say(
        f"当前发布: {release.release_id if release else '无'}",
        f"current release: {release.release_id if release else 'none'}",
    )
    teller.say(f"收件中未处理: {len(waiting)}", f"waiting in landing: {len(waiting)}")
    for name in waiting[:20]:
        teller.plain(f"  {name}")
    for run in runs:
        tell(teller, run)
    for source, name, why in passed_over:
        teller.say(f"  不读取 {source}/{name}: {why.zh}", f"  not read: {source}/{name}: {why.en}", "yellow")
    for line in nights:
        teller.plain(
            f"  {line['as_of']}  {line['outcome']:<12} {line['seconds']:>6} s  {line['release_id'] or '–'}"
        )


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="one file / 一个文件")],
    source: Annotated[
        str | None,
        typer.Option(help="landing source; default: the folder the file lies in, else every source / 来源"),
    ] = None,
    home: HomeOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Read one file as the night would; write nothing. / 试读一个文件, 不写入任何内容。"""
    from orchestration import check_command

    settings = load_settings(home=home, profile=profile)
    raise typer.Exit(check_command.run(settings, file, source, as_json=json))


@app.command()
def receipt(
    file: Annotated[
        str,
        typer.Argument(help="a file, its name below landing, or its file id / 文件, 收件目录下的名称或编号"),
    ],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """What became of one delivered file, for its sender. / 给报送人的文件回执。"""
    from orchestration import receipt_command

    raise typer.Exit(receipt_command.run(load_settings(home=home), file, as_json=json))


@app.command()
def quarantine(
    home: HomeOption = None,
    export: Annotated[Path | None, typer.Option(help="write all of it as CSV / 导出为 CSV")] = None,
    json: JsonOption = False,
) -> None:
    """What the last night refused, where, and how to mend it. / 上一夜未采用的内容, 位置与改法。"""
    from orchestration import check_command

    raise typer.Exit(check_command.quarantine(load_settings(home=home), export, as_json=json))


@app.command()
def queue(home: HomeOption = None, json: JsonOption = False) -> None:
    """Unknown codes, proposed mends, broken meters: one line settles each. / 待处理事项: 各用一行解决。"""
    from orchestration import queue_command

    raise typer.Exit(queue_command.run(load_settings(home=home), as_json=json))


@app.command()
def releases(home: HomeOption = None, json: JsonOption = False) -> None:
    """Releases kept in this home, newest first. / 本库的发布。"""
    from exports.current import current_release, list_releases

    paths = load_settings(home=home).paths
    now = current_release(paths.root)
    found = list_releases(paths.root)
    if json:
        _print_json([item.model_dump() if hasattr(item, "model_dump") else item.__dict__ for item in found])
        return
    for item in found:
        mark = "→" if now and now.release_id == item.release_id else " "
        typer.echo(f"{mark} {item.release_id}")


@app.command()
def verify(
    release: Annotated[
        str, typer.Argument(help="release id or folder; default: current / 发布编号或目录")
    ] = "current",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Hold every file of a release against its manifest. / 校验发布的每一个文件。"""
    from exports.current import current_release
    from exports.manifest import verify as problems_of

    settings = load_settings(home=home)
    root = settings.paths.root
    folder = Path(release)
    if release == "current":
        now = current_release(root)
        if now is None:
            raise Refusal(
                "no_release",
                Message("还没有发布", "there is no release yet"),
                Message("先运行 tancang nightly", "run tancang nightly first"),
            )
        folder = now.path
    elif not folder.is_dir():
        folder = settings.paths.releases / release
    if not folder.is_dir():
        raise Refusal(
            "no_release",
            Message(f"没有发布 {release}", f"there is no release {release}"),
            Message("用 tancang releases 查看", "see tancang releases"),
        )
    found = problems_of(folder)
    if json:
        _print_json([problem.__dict__ if hasattr(problem, "__dict__") else str(problem) for problem in found])
    teller = Teller(settings.lang)
    if not json:
        for problem in found:
            teller.say(problem.text_zh, problem.text_en, "red")
        if not found:
            teller.say(f"完好: {folder.name}", f"whole: {folder.name}")
    raise typer.Exit(1 if found else 0)


@app.command()
def rollback(
    home: HomeOption = None,
    to: Annotated[str | None, typer.Option(help="release id; default: the parent / 目标发布")] = None,
) -> None:
    """Make an earlier release the current one. / 回退到较早的发布。"""
    from exports.current import rollback as roll_back

    settings = load_settings(home=home)
    now = roll_back(settings.paths.root, to)
    Teller(settings.lang).say(f"当前发布: {now.release_id}", f"current release: {now.release_id}")


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="a SELECT; read from standard input when missing / 查询")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Query the current release, read-only and without files or settings. / 只读查询当前发布。"""
    from rich.table import Table

    from exports.query import sql_on_current

    settings = load_settings(home=home)
    result, release_id = sql_on_current(settings.paths.root, query or sys.stdin.read())
    if json:
        _print_json(
            {
                "release": release_id,
                "columns": list(result.columns),
                "rows": [list(row) for row in result.rows],
            }
        )
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in result.columns:
        table.add_column(name)
    for row in result.rows:
        table.add_row(*["" if value is None else str(value) for value in row])
    Teller(settings.lang).console.print(table)
    if result.is_truncated:
        typer.echo("…", err=True)


@app.command()
def explain(
    figure: Annotated[
        str, typer.Argument(help="table.column, such as region_year.emissions_total_tco2 / 表.列")
    ],
    keys: Annotated[
        list[str], typer.Argument(help="the key of the row, in order, or column=value / 该行的主键")
    ],
    home: HomeOption = None,
    top: Annotated[
        int, typer.Option(min=1, help="contributors of a regional sum that are named / 列出的最大贡献者数")
    ] = 20,
    json: JsonOption = False,
) -> None:
    """What a published figure is made of, down to file, sheet and cell. / 一个数字由什么构成, 追到文件、工作表与单元格。"""
    from orchestration import explain_command

    raise typer.Exit(explain_command.run(load_settings(home=home), figure, keys, top, as_json=json))


@app.command()
def ui(
    home: HomeOption = None,
    landing: LandingOption = None,
    profile: ProfileOption = None,
    port: Annotated[int, typer.Option(help="port on 127.0.0.1 / 端口")] = 3000,
) -> None:
    """Dagster's web UI with schedule and sensor, on this machine only. / 本机网页界面。"""
    from orchestration import ui_command

    raise typer.Exit(ui_command.run(load_settings(home=home, landing=landing, profile=profile), port))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="the new home / 新的数据目录")] = Path(".tancang"),
    example: Annotated[
        str, typer.Option(help="clean, defective or blocking example district / 示例")
    ] = "clean",
) -> None:
    """A first home of one's own: profile, landing with example files, corrections. / 建立自己的数据目录。"""
    from orchestration import init_command

    raise typer.Exit(init_command.run(folder, example, load_settings().lang))


def main() -> None:
    """Entry point: a user's mistake ends in two sentences, never in a traceback."""
    try:
        app()
    except Refusal as refusal:
        _refused(refusal.reason, refusal.mend)
    except Told as error:
        _refused(error.text)


def _refused(*sentences: Message) -> None:
    teller = Teller(_language(), to_stderr=True)
    for position, sentence in enumerate(sentences):
        teller.message(sentence, None if position else "red")
    sys.exit(2)


def _language() -> str:
    try:
        return load_settings().lang
    except Refusal:
        return Settings().lang
