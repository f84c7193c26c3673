"""Other machines that encode: a Ray cluster."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from qabot.encoders import FloatArray, open_encoder
from qabot.encoders.probe import gives, probe
from qabot.errors import EncoderError, QabotError, UsageError
from qabot.text import first_line

if TYPE_CHECKING:
    from qabot.encoders import Encoder

# Groups that travel together at most, and are encoded again if a machine takes them with it; fewer
# where that would leave a core with less than this number of portions.
_GROUPS = 16
_PORTIONS = 8
# Seconds for a cluster to be reached.
_PATIENCE = 30.0


class Workers(Protocol):
    """Encode passages and sentences somewhere else."""

    def encode(
        self, encoder: Encoder, groups: Sequence[Sequence[str]]
    ) -> Iterator[tuple[int, FloatArray]]:
        """Encode groups of texts as ``encoder`` would, each by one call of ``encode_document``.

        Yields:
            The place of a group and its vectors, in any order.

        Raises:
            EncoderError: They cannot.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Model:
    """The model that every worker has to have.

    Attributes:
        name: The setting ``encoder``.
        cache: The setting of that name; empty for the worker's own.
        probe: Its vector of a known question.
    """

    name: str
    cache: str
    fingerprint: str
    probe: str

    def open(self) -> Encoder:
        """Open it here; a machine unpacks it once."""
        import platformdirs

        cache = (
            Path(self.cache).expanduser() if self.cache else platformdirs.user_cache_path("qabot")
        )
        # A worker has one core, so that there is one for each core of a machine.
        encoder = open_encoder(self.name, cache=cache, threads=1)
        if encoder.fingerprint != self.fingerprint or not gives(encoder, self.probe):
            raise EncoderError(
                f"{self.name} is another model there than where the index is rebuilt; install the "
                "same versions on both"
            )
        return encoder


class _Worker:
    """A process of the cluster that encodes."""

    def __init__(self, model: _Model) -> None:
        self._problem = ""
        try:
            self._encoder = model.open()
        except QabotError as error:
            # Raised here, Ray would tell it with a traceback, and try again.
            self._problem = f"{socket.gethostname()}: {error}"

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        vectors = [
            b"" if self._problem else self._encoder.encode_document(list(texts)).tobytes()
            for texts in batch["texts"]
        ]
        return {
            "group": batch["group"],
            "vectors": np.array(vectors, object),
            "problem": np.array([self._problem] * len(vectors), object),
        }


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep Ray from taking over SIGTERM, which is to end a rebuild as it does elsewhere."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


class RayWorkers:
    """A Ray cluster; its machines have qabot and the model.

    Args:
        address: Of the cluster, ``HOST:6379``, or ``auto`` on one of its machines.
        name: The setting ``encoder``.
        cache: The setting of that name.

    Raises:
        UsageError: Ray is not installed.
    """

    def __init__(self, address: str, name: str, cache: str = "") -> None:
        self._address, self._name, self._cache = address, name, cache
        # Ray would send what it is used for to its makers, and print how it is doing.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        try:
            import ray.data  # noqa: F401 (is it there?)
        except ImportError as error:
            raise UsageError(f"--ray {address}: needs Ray; pip install 'qabot[ray]'") from error

    def encode(
        self, encoder: Encoder, groups: Sequence[Sequence[str]]
    ) -> Iterator[tuple[int, FloatArray]]:
        """As ``Workers``; a group that a machine took with it is encoded by another."""
        import ray
        from ray.exceptions import RayError

        model = _Model(self._name, self._cache, encoder.fingerprint, probe(encoder))
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            # Ray prints there what becomes of machines.
            try:
                self._connect()
                for row in self._dataset(model, groups).iter_rows():
                    if row["problem"]:
                        raise EncoderError(f"--ray {self._address}: {row['problem']}")
                    vectors = np.frombuffer(row["vectors"], np.float32)
                    yield int(row["group"]), vectors.reshape(-1, encoder.dimension)
            except (RayError, RuntimeError, ValueError, OverflowError, OSError) as error:
                raise EncoderError(
                    f"--ray {self._address}: {first_line(error)}; check that the cluster runs, and "
                    "the address"
                ) from error
            finally:
                ray.shutdown()

    def _connect(self) -> None:
        import ray

        host, _, port = self._address.rpartition(":")
        if port.isdecimal():
            # Where nothing listens, Ray itself would go on trying for many minutes.
            socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
        with _signals_kept():
            ray.init(self._address, log_to_driver=False, logging_level=logging.CRITICAL)
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def _dataset(self, model: _Model, groups: Sequence[Sequence[str]]) -> Any:
        import ray

        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        items = [{"group": place, "texts": list(texts)} for place, texts in enumerate(groups)]
        portions = min(len(items), max(_PORTIONS * cores, len(items) // _GROUPS))
        return ray.data.from_items(items, override_num_blocks=portions).map_batches(
            _Worker,
            fn_constructor_args=(model,),
            batch_size=1,
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=cores, initial_size=cores),
        )
