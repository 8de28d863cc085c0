"""Sets up the checkout's own environment, with nothing but the standard library.

Belongs here: finding out whether this Python will do, making `.venv`, installing exactly what the lock
file names. Does not belong here: anything that runs after set-up. Written so that an old Python still
reads it and prints a useful sentence instead of a syntax error.
"""

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
WHEELS = os.path.join(ROOT, "wheels")
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
PYTHON = os.path.join(VENV, SCRIPTS, "python")
STAMP = os.path.join(VENV, "tancang-setup")


def fail(zh, en):
    sys.stderr.write("%s\n%s\n" % (zh, en))
    sys.exit(2)


def check_python():
    version = "%d.%d" % sys.version_info[:2]
    if sys.version_info < (3, 11):
        fail(
            "需要 Python 3.11 或更新版本, 当前是 %s。可用 `make run PYTHON=python3.12` 指定。" % version,
            "Python 3.11 or newer is needed; this is %s. Name another one: `make run PYTHON=python3.12`."
            % version,
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        fail(
            "这个 Python 没有 venv。请先安装: sudo apt install python%s-venv (其他系统: 安装完整的 Python)。"
            % version,
            "This Python comes without venv. Install it first: sudo apt install python%s-venv "
            "(elsewhere: a full Python)." % version,
        )


def stamp_of(lock):
    with open(lock, "rb") as handle, open(os.path.join(ROOT, "pyproject.toml"), "rb") as project:
        digest = hashlib.sha256(handle.read() + project.read()).hexdigest()
    return "%s %s %s" % (digest, sys.version.split()[0], ROOT)


def locked_entry(lock, name):
    """The lines of one package in the lock file: its pin and its hashes."""
    lines, taking = [], False
    with open(lock, encoding="utf-8") as handle:
        for line in handle:
            if not line.startswith((" ", "#")):
                taking = line.startswith(name + "==")
            if taking:
                lines.append(line)
    return "".join(lines)


def installer_environment():
    """uv does not read pip's configuration, so hand it the index that the user has set for pip."""
    environment = dict(os.environ)
    environment["UV_NO_CONFIG"] = environment.get("UV_NO_CONFIG", "0")
    if "UV_DEFAULT_INDEX" not in environment and "UV_INDEX_URL" not in environment:
        found = subprocess.run(
            [PYTHON, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
        )
        if found.returncode == 0 and found.stdout.strip():
            environment["UV_DEFAULT_INDEX"] = found.stdout.strip()
    return environment


def run(command, environment=None):
    done = subprocess.run(command, env=environment, cwd=ROOT)
    if done.returncode != 0:
        fail(
            "安装没有完成, 原因见上一行。没有网络时请使用离线包 (make bundle)。再次运行会从头补齐。",
            "Set-up did not finish; the line above says why. Without a network use the offline bundle. "
            "Running again mends a half-made environment.",
        )


def main():
    check_python()
    wanted = stamp_of(LOCK)
    if os.path.exists(STAMP):
        with open(STAMP, encoding="utf-8") as handle:
            if handle.read() == wanted:
                return
    print(
        "正在准备环境 (首次约一分钟) / setting up the environment (about a minute the first time)", flush=True
    )
    import venv

    venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(VENV)
    offline = ["--no-index", "--find-links", WHEELS] if os.path.isdir(WHEELS) else []
    pin = os.path.join(VENV, "uv-pin.txt")
    with open(pin, "w", encoding="utf-8") as handle:
        handle.write(locked_entry(LOCK, "uv"))
    run(
        [
            PYTHON,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            pin,
        ]
        + offline
    )
    uv = os.path.join(VENV, SCRIPTS, "uv")
    environment = installer_environment()
    run(
        [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--python", PYTHON, "--require-hashes"]
        + offline
        + [LOCK],
        environment,
    )
    run(
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            PYTHON,
            "--no-deps",
            "--no-build-isolation",
            "--editable",
            ROOT,
        ]
        + offline,
        environment,
    )
    with open(STAMP, "w", encoding="utf-8") as handle:
        handle.write(wanted)


if __name__ == "__main__":
    main()
