"""Set-up and the first night as a newcomer sees them, on every Python that the project supports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def python(version: str) -> str | None:
    """An interpreter of this version that really starts: on the path, or kept by pyenv."""
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in [f"python{version}", *map(str, kept)]:
        try:
            found = subprocess.run(
                [candidate, "-c", "import sys; print(sys.version)"], capture_output=True, text=True
            )
        except OSError:
            continue
        if found.returncode == 0 and found.stdout.startswith(version + "."):
            return candidate
    return None


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_make_run_on_a_fresh_clone(version: str, tmp_path: Path) -> None:
    interpreter = python(version)
    if interpreter is None:
        pytest.skip(f"no Python {version} on this machine")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANCANG_", "DAGSTER_", "VIRTUAL_ENV"))}
    first = subprocess.run(
        ["make", "run", f"PYTHON={interpreter}"], cwd=clone, env=clean, capture_output=True, text=True
    )
    assert first.returncode == 0, first.stdout[-1500:] + first.stderr[-1500:]
    assert "verdict: PASS" in first.stdout
    assert "135.10" in first.stdout
    second = subprocess.run(
        ["make", "run", f"PYTHON={interpreter}"], cwd=clone, env=clean, capture_output=True, text=True
    )
    assert second.returncode == 0
    assert "nothing new" in second.stdout
    tests = subprocess.run(
        [str(clone / ".venv/bin/python"), "-m", "pytest", "tests/unit", "-m", "not slow", "-q"],
        cwd=clone,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert tests.returncode == 0, tests.stdout[-2000:]


def test_an_old_python_is_told_what_to_do(tmp_path: Path) -> None:
    old = python("3.10") or python("3.9") or python("3.8")
    if old is None:
        pytest.skip("no older Python on this machine")
    done = subprocess.run([old, str(CHECKOUT / "orchestration/bootstrap.py")], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Python 3.11" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_without_venv_is_told_which_package_to_install(tmp_path: Path) -> None:
    program = (
        "import sys, runpy; sys.modules['venv'] = None; sys.argv = ['bootstrap.py']\n"
        f"runpy.run_path({str(CHECKOUT / 'orchestration/bootstrap.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert "-venv" in done.stderr
    assert "Traceback" not in done.stderr
