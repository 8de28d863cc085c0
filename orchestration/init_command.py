"""`tancang init`: a first home of one's own, copied from an example world, ready for a night."""

from __future__ import annotations

import shutil
from pathlib import Path

from ingestion.contracts.messages import Message, Refusal
from orchestration.report import Teller
from orchestration.settings import CHECKOUT


def run(folder: Path, example: str, language: str) -> int:
    """Make the folder. Nothing that exists is overwritten. Raises Refusal when it is in use already."""
    world = CHECKOUT / "examples" / "district" / example
    if not world.is_dir():
        raise Refusal(
            "no_example",
            Message(f"没有示例 {example}", f"there is no example {example}"),
            Message("可用: clean, defective, blocking", "one of: clean, defective, blocking"),
        )
    if folder.exists() and any(folder.iterdir()):
        raise Refusal(
            "not_empty",
            Message(f"{folder} 不是空目录", f"{folder} is not empty"),
            Message("请换一个目录", "choose another folder"),
        )
    shutil.copytree(world, folder, dirs_exist_ok=True)
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "layouts").mkdir(exist_ok=True)
    shutil.copyfile(
        CHECKOUT / "examples" / "district" / "profile.yml", folder / "profiles" / "example-district.yml"
    )
    teller = Teller(language)
    teller.say(f"已建立 {folder}", f"made {folder}")
    teller.say(f"下一步: tancang nightly --home {folder}", f"next: tancang nightly --home {folder}")
    return 0
