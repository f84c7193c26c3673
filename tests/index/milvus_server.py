"""Milvus servers on loopback, for tests: the light one in Python, or the real one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

# The real one unpacks itself first.
_PATIENCE = 600


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Running:
    """A server in a process of its own, which ends with this one; a context manager.

    Args:
        folder: Its data.

    Attributes:
        address: The address of an index there, without its name.
        port: Its port.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.address = f"milvus://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        """Tell if it has started."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._folder.with_suffix(".log").open("a") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _PATIENCE
        while not self.answers():
            assert self._process.poll() is None, f"ended with {self._process.returncode}"
            assert time.monotonic() < deadline, "does not start"
            time.sleep(0.1)

    def _signal(self, number: signal.Signals) -> None:
        # It may be several processes.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def hang(self) -> None:
        """Have it listen, but not answer, until ``go_on``."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End that."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill it."""
        self._signal(signal.SIGKILL)
        self._process.communicate()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# What starts a server may be killed, and can then no longer stop it.
_ENDING = """
import os, signal, sys, threading

def end():
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)

ending = threading.Thread(target=end, daemon=True)
ending.start()
"""

_LITE = f"""{_ENDING}
import runpy

runpy.run_module("milvus_lite", run_name="__main__", alter_sys=True)
"""


class Lite(Running):
    """milvus-lite: one process in Python."""

    def command(self) -> list[str]:
        where = ["--data-dir", str(self._folder), "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-c", _LITE, "server", *where]


# Started anew, it takes a port whose last connections have just ended, which the package would not;
# and Milvus itself may crash then, and is started once more, as service managers do.
_REAL = f"""{_ENDING}
import pathlib, socket, time, urllib.request
from milvus import MilvusServer, MilvusServerConfig

def bind(self, port):
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(("127.0.0.1", port))
    except OSError:
        return None
    return found

MilvusServerConfig.try_bind_port = bind
server = MilvusServer(data_dir=sys.argv[1], proxy_port=int(sys.argv[2]), wait_for_started=False)
server.start()
health = "http://127.0.0.1:%d/healthz" % server.webservice_port
while True:
    try:
        with urllib.request.urlopen(health, timeout=60) as answer:
            if b"OK" in answer.read():
                break
    except OSError:
        pass
    if server.server_proc.poll() is not None:
        server.start()
    time.sleep(0.2)
pathlib.Path(sys.argv[3]).touch()
ending.join()
"""


class Real(Running):
    """Milvus itself, as the package ``milvus`` brings it."""

    @property
    def _ready(self) -> Path:
        return self._folder.with_suffix(".ready")

    def command(self) -> list[str]:
        self._ready.unlink(missing_ok=True)
        where = [str(self._folder), str(self.port), str(self._ready)]
        return [sys.executable, "-c", _REAL, *where]

    def answers(self) -> bool:
        return self._ready.exists()


WITH_REAL = bool(os.environ.get("TEST_MILVUS"))
"""Set by ``make test-milvus``."""
SERVERS: dict[str, type[Running]] = {"lite": Lite} | ({"server": Real} if WITH_REAL else {})
