"""Real servers for the tests, on loopback: HTTP that misbehaves on order, PostgreSQL, SFTP."""

from __future__ import annotations

import errno
import http.server
import json
import os
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import paramiko

Reply = Callable[["Asked"], None]


class Asked(http.server.BaseHTTPRequestHandler):
    """One request; `query` holds its parameters."""

    server: Endpoint  # type: ignore[assignment]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.query = {key: values[-1] for key, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked.append(self)
        self.server.reply(self)

    def log_message(self, *_: object) -> None:
        pass

    def say(self, body: object, status: int = 200, cut: int = 0, **headers: str) -> None:
        """Answer with a text or a document; `cut` leaves that many bytes of the promised body out."""
        data = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", headers.pop("content_type", "application/json"))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - cut])
        if cut:
            self.close_connection = True


class Endpoint(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A platform's endpoint. `reply` answers; `asked` keeps every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.asked: list[Asked] = []
        self.reply: Reply = lambda asked: asked.say({})

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/returns"

    def handle_error(self, *_: object) -> None:
        """A client that hung up is part of some tests."""


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def paged(records: list[dict[str, Any]], size: int, **head: Any) -> Reply:
    """A well-behaved endpoint: parameters page and since, records under `documents`, their number under `total`."""

    def reply(asked: Asked) -> None:
        since = asked.query.get("since", "")
        found = [record for record in records if str(record.get("updatedAt", "")) >= since]
        start = (int(asked.query.get("page", "1")) - 1) * size
        asked.say({**head, "total": len(found), "documents": found[start : start + size]})

    return reply


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    which = shutil.which("initdb")
    return found[-1].parent if found else Path(which).parent if which else None


class Postgres:
    """A server of its own in a folder of its own, on loopback, run by nobody's account."""

    password = "pg s3cret/%:@ 口令"

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # pytest's own folders are closed to the account that the server runs under
        self._folder = Path(tempfile.mkdtemp(prefix="tancang-pg-"))
        self._folder.chmod(0o755)
        self._account = "postgres" if os.geteuid() == 0 else None
        self.port = free_port()
        place = self._folder / "data"
        place.mkdir(mode=0o700)
        (self._folder / "password").write_text(self.password, encoding="utf-8")
        if self._account:
            for path in (self._folder, place, self._folder / "password"):
                shutil.chown(path, self._account)
        self._call("initdb", "-D", place, "-U", "owner", "-A", "scram-sha-256", "--pwfile", self._folder / "password",
                   "--no-sync", "-E", "UTF8", "--locale", "C")  # fmt: skip
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder} -F"
        self._call("pg_ctl", "-D", place, "-o", options, "-l", self._folder / "log", "-w", "start")

    def _call(self, name: str, *arguments: object) -> None:
        done = subprocess.run(
            [str(self._binaries / name), *map(str, arguments)],
            user=self._account,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    @property
    def address(self) -> str:
        return f"postgresql://127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        from urllib.parse import quote

        from adbc_driver_postgresql import dbapi

        uri = f"postgresql://owner:{quote(self.password, safe='')}@127.0.0.1:{self.port}/postgres"
        with (
            closing(dbapi.connect(uri, autocommit=True)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        self._call("pg_ctl", "-D", self._folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)


class _Host(paramiko.ServerInterface):
    def __init__(self, password: str, key: paramiko.PKey | None) -> None:
        self._password, self._key = password, key

    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == ("exporter", self._password)
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        is_right = username == "exporter" and key == self._key
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, _: str) -> str:
        return "password,publickey"

    def check_channel_request(self, _: str, __: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    """The folder as it is; `extra` names are listed beside it, as a hostile server would."""

    root: Path
    extra: list[str | bytes]
    stall_s: float

    def _real(self, path: str) -> str:
        return str(self.root) + self.canonicalize(path)

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        time.sleep(self.stall_s)
        if not os.path.isdir(self._real(path)):
            return paramiko.SFTP_NO_SUCH_FILE
        names = [*os.listdir(self._real(path)), *self.extra]
        found = []
        for name in names:
            facts = paramiko.SFTPAttributes()
            facts.filename = name
            found.append(facts)
        return found

    def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(os.lstat(self._real(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)

    def open(self, path: str, _: int, __: Any) -> Any:
        try:
            file = open(self._real(path), "rb")  # noqa: SIM115
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)
        handle = paramiko.SFTPHandle()
        handle.readfile = file
        handle.stat = lambda: paramiko.SFTPAttributes.from_stat(os.fstat(file.fileno()))  # type: ignore[method-assign]
        return handle


class SftpServer:
    """An SFTP server in this process. `user_key` is a client's key that it accepts."""

    password = "sftp-s3cret-word"

    def __init__(self, root: Path) -> None:
        self.host_key = paramiko.ECDSAKey.generate()
        self.user_key = paramiko.ECDSAKey.generate()
        self.files = type("Files", (_Files,), {"root": root, "extra": [], "stall_s": 0.0})
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(8)
        self.port = int(self._socket.getsockname()[1])
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, self.files)
            self._transports.append(transport)
            try:
                transport.start_server(event=threading.Event(), server=_Host(self.password, self.user_key))
            except (paramiko.SSHException, EOFError):
                continue

    @property
    def address(self) -> str:
        return f"sftp://127.0.0.1:{self.port}/"

    @property
    def known_hosts_line(self) -> str:
        return f"[127.0.0.1]:{self.port} {self.host_key.get_name()} {self.host_key.get_base64()}\n"

    def stop(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for transport in self._transports:
            transport.close()
