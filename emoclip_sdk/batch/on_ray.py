"""Many videos on the machines of a Ray cluster: one model in each actor.

An actor decodes in a process of its own, as the local engine does: a video on which that process
dies costs one file, not the actor. When an actor or its machine dies, Ray gives its block of files
to another one.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..config import ModelConfig
from ..errors import BatchError, EmoCLIPError, MissingDependencyError
from .action_engine import ActionEngine
from .crops import VideoPart
from .local import BatchEngine
from .tasks import BatchTask

if TYPE_CHECKING:
    import torch

    from ..inference.encoder import Encoder
    from ..nn import DualEncoder

__all__ = ["RayActor", "RayWork", "results_on_ray"]

# Files of a block: what is repeated when an actor dies, and what the last actor is left with.
# More of them where there would be so many blocks that Ray is busy with these.
_BLOCK, _MAX_BLOCKS = 16, 4096


@dataclasses.dataclass(frozen=True)
class RayWork:
    """What every actor needs. It travels to each machine once.

    Attributes
    ----------
    config : ModelConfig
    options : dict
        Of :class:`BatchEngine` or, where there is no task, of :class:`ActionEngine`.
    task : BatchTask, optional
    network : DualEncoder, optional
        With its precision, where there is a task.
    dtype : torch.dtype, optional
    """

    config: ModelConfig
    options: dict[str, Any]
    task: BatchTask[Any] | None = None
    network: DualEncoder | None = None
    dtype: torch.dtype | None = None

    @classmethod
    def of(
        cls, encoder: Encoder, task: BatchTask[Any], config: ModelConfig, options: dict[str, Any]
    ) -> RayWork:
        """Return the work of a task; what belongs to this machine is left out."""
        sent = task.with_pool(_nowhere)
        return cls(config, options, sent, encoder.network.cpu(), encoder.dtype)

    def engine(self) -> BatchEngine[Any] | ActionEngine:
        """Return what reads videos on the machine where this has come to."""
        if self.task is None or self.network is None or self.dtype is None:
            return ActionEngine(self.config, **self.options)
        from ..inference.encoder import Encoder

        encoder = Encoder(self.network, self.config, "auto", self.dtype)
        task = self.task.with_pool(encoder.pool)
        return BatchEngine(encoder.frames, task, self.config, **self.options)


class RayActor:
    """An actor: a model, and a process that decodes for it.

    Parameters
    ----------
    work : ObjectRef of RayWork
    """

    def __init__(self, work: Any) -> None:
        import ray

        given: RayWork = ray.get(work)
        self._engine = given.engine()
        self._engine.__enter__()  # its process ends with the actor

    def __call__(self, block: dict[str, Any]) -> dict[str, list[Any]]:
        """Read the files of a block of rows (number, path, start, end)."""
        columns = (block[name] for name in ("path", "start", "end"))
        videos = [_video(*values) for values in zip(*columns, strict=True)]
        results = list(self._engine(videos))
        return {
            "number": [int(block["number"][place]) for place, _ in results],
            "result": [pickle.dumps(result) for _, result in results],
        }


def _row(number: int, video: str | VideoPart) -> dict[str, Any]:
    """Return a video as Ray sends it: NaN where a part has no start or end."""
    part = video if isinstance(video, VideoPart) else VideoPart(video, None, None)
    path = part.path if "://" in part.path else os.path.abspath(part.path)
    start, end = (math.nan if time is None else time for time in part[1:])
    return {"number": number, "path": path, "start": start, "end": end}


def _video(path: Any, start: float, end: float) -> str | VideoPart:
    """Undo :func:`_row`."""
    if math.isnan(start) and math.isnan(end):
        return str(path)
    times = (None if math.isnan(time) else float(time) for time in (start, end))
    return VideoPart(str(path), *times)


@contextmanager
def results_on_ray(
    work: Callable[[], RayWork],
    videos: Sequence[str | VideoPart],
    *,
    encoder: Encoder | None = None,
    actors: int | None = None,
    address: str | None = None,
) -> Iterator[Iterator[tuple[int, Any]]]:
    """Read videos on a cluster, in a ``with`` block.

    Yields an iterator of positions in `videos` and results, as they are ready.

    Parameters
    ----------
    work : callable
        Returns what is sent to the cluster, which needs no access to the checkpoint.
    videos : sequence of str or VideoPart
        Their paths are made absolute; every machine must see the files there.
    encoder : Encoder, optional
        That of the work: it goes back to its device when it was sent.
    actors : int, optional
        None: one for each processor of the cluster; with an encoder on a GPU, for each GPU.
    address : str, optional
        As in ``ray.init``.

    Raises
    ------
    MissingDependencyError
        Ray Data is not installed.
    BatchError
        There is no cluster at `address`.
    EmoCLIPError
        From the iterator: the cluster gave up, e.g. because a package is missing on its machines.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody has agreed to send any
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingDependencyError(error.name or "ray", "ray", "A batch on Ray") from None

    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(
                address=address,
                include_dashboard=False if address is None else None,
                logging_level=logging.WARNING,
            )
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise BatchError(f"no Ray cluster at {address or 'this machine'}: {reason}") from error
    try:
        gpu = encoder is not None and encoder.device.type == "cuda"
        count = actors or max(1, int(ray.cluster_resources().get("GPU" if gpu else "CPU", 1)))
        shared = ray.put(work())
        if encoder is not None:  # it was sent as it is on the CPU
            encoder.network.to(encoder.device)
        block = max(1, min(_BLOCK, len(videos) // (8 * count)), len(videos) // _MAX_BLOCKS)
        rows = [_row(i, video) for i, video in enumerate(videos)]
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        results = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // block)).map_batches(
            RayActor,
            fn_constructor_args=(shared,),
            batch_size=block,
            compute=ray.data.ActorPoolStrategy(size=min(count, len(rows))),
            num_cpus=1,
            num_gpus=1 if gpu else 0,
        )
        rows_back = iter(results.iter_rows())
        try:
            yield _received(rows_back)
        finally:
            if hasattr(rows_back, "close"):
                rows_back.close()  # stops the actors when the caller leaves early
    finally:
        if ours:
            ray.shutdown()


def _received(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[int, Any]]:
    """Unpack results; say in one line what made the cluster give up."""
    from ray.exceptions import RayError

    try:
        for row in rows:
            yield row["number"], pickle.loads(row["result"])
    except RayError as error:
        reason = str(getattr(error, "cause", None) or error).strip().rpartition("\n")[2]
        raise EmoCLIPError(
            f"the Ray cluster gave up: {reason}. What is done is kept, and the same command goes "
            "on from there"
        ) from error


def _nowhere(frames: Any, windows: Any) -> Any:
    """Take the place of the encoder's pooling on the way: every actor puts in its own."""
    raise RuntimeError("a scorer that was sent to an actor must be given the actor's pooling")
