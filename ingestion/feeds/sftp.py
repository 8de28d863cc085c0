"""A folder of an SFTP server as a shelf. Its host key must stand in a known_hosts file: an unknown one is refused.

Belongs here: the connection. Does not belong here: which files are taken (folder).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

import paramiko

from ingestion.contracts.messages import Message, Refusal
from ingestion.feeds.declaration import SftpFeed
from ingestion.feeds.folder import Look
from ingestion.feeds.secrets import Secrets


class SftpShelf:
    """The folder that the address names, on an open connection."""

    def __init__(self, client: paramiko.SFTPClient, root: str) -> None:
        self._client, self._root = client, root.rstrip("/")

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root or "."

    def entries(self, folder: str) -> list[Look]:
        path = self._path(folder)
        # what a server lists may be what a link leads to: ask each one for itself
        names = [item.filename for item in self._client.listdir_attr(path)]
        return [
            self._look(name, f"{path}/{name}")
            for name in names
            if "/" not in name and name not in (".", "..")
        ] + [Look(name, 0, 0, 0) for name in names if "/" in name or name in (".", "..")]

    def look(self, name: str) -> Look:
        return self._look(name, self._path(name))

    def _look(self, name: str, path: str) -> Look:
        facts = self._client.lstat(path)
        return Look(name, facts.st_size or 0, float(facts.st_mtime or 0), facts.st_mode or 0)

    @contextmanager
    def open(self, name: str, look: Look) -> Iterator[BinaryIO]:
        with self._client.open(self._path(name), "rb") as handle:
            facts = handle.stat()
            if (facts.st_size, float(facts.st_mtime or 0)) != look.is_same:
                raise FileNotFoundError(name)
            handle.prefetch(look.size_bytes)
            yield cast(BinaryIO, handle)


@contextmanager
def sftp_shelf(feed: SftpFeed, home: Path, secrets: Secrets) -> Iterator[SftpShelf]:
    """Connect with the variables' user and key or password. Neither agents nor keys lying about are tried."""
    parts = urlsplit(feed.address)
    known_hosts = home / feed.known_hosts
    if not known_hosts.is_file():
        raise _not_trusted(f"{feed.known_hosts}: –")
    client = paramiko.SSHClient()
    client.load_host_keys(str(known_hosts))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    password = secrets.value(feed.password_env) if feed.password_env else None
    key_file = secrets.value(feed.key_env) if feed.key_env else None
    if key_file is not None and not os.path.isfile(key_file):
        raise Refusal(
            "secret_missing",
            Message(
                f"{feed.key_env} 指向的私钥文件不存在", f"the key file that {feed.key_env} names is not there"
            ),
            Message("请核对该环境变量", "look at that variable"),
        )
    try:
        client.connect(
            parts.hostname or "",
            parts.port or 22,
            username=secrets.value(feed.user_env or ""),
            password=None if key_file else password,
            passphrase=password if key_file else None,
            key_filename=key_file,
            timeout=feed.timeout_s,
            banner_timeout=feed.timeout_s,
            auth_timeout=feed.timeout_s,
            channel_timeout=feed.timeout_s,
            allow_agent=False,
            look_for_keys=False,
        )
        sftp = client.open_sftp()
        channel = sftp.get_channel()
        assert channel is not None
        channel.settimeout(feed.timeout_s)
        yield SftpShelf(sftp, unquote(parts.path))
    except paramiko.AuthenticationException:
        raise Refusal(
            "feed_not_admitted",
            Message("账号, 口令或私钥未被接受", "the user, password or key was not accepted"),
            Message("请更新环境变量中的凭据", "renew the credentials in the environment"),
        ) from None
    except paramiko.BadHostKeyException:
        raise _not_trusted("≠") from None
    except TimeoutError:
        raise Refusal(
            "feed_silent",
            Message(f"{feed.timeout_s:g} 秒内没有应答", f"no answer within {feed.timeout_s:g} s"),
            Message("请与服务器管理员核对", "ask who runs the server"),
        ) from None
    except (paramiko.SSHException, EOFError, ConnectionError) as error:
        if "known_hosts" in str(error):
            raise _not_trusted("–") from None
        raise _unreachable() from None
    except FileNotFoundError:
        raise Refusal(
            "feed_unreachable",
            Message(f"服务器上没有目录 {parts.path}", f"the server has no folder {parts.path}"),
            Message("请核对 address", "look at address"),
        ) from None
    except PermissionError:
        raise Refusal(
            "feed_not_admitted",
            Message("该账号无权读取目录或文件", "the account may not read the folder or a file in it"),
            Message("请与服务器管理员核对权限", "ask who runs the server for the right to read"),
        ) from None
    except OSError:
        raise _unreachable() from None
    finally:
        client.close()


def _unreachable() -> Refusal:
    return Refusal(
        "feed_unreachable",
        Message("无法连接, 或连接中断", "it cannot be reached, or the connection broke off"),
        Message("请核对地址与网络", "look at the address and the network"),
    )


def _not_trusted(found: str) -> Refusal:
    return Refusal(
        "feed_not_trusted",
        Message(
            f"主机密钥不在 known_hosts 中或不一致 ({found})",
            f"the host key is not the one in known_hosts ({found})",
        ),
        Message(
            "请向管理员核实指纹后写入 known_hosts; 不会自动接受",
            "have its fingerprint confirmed, then write it into known_hosts; none is accepted by itself",
        ),
    )
