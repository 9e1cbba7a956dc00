"""Results don't depend on what the caller has set in torch, and leave it as it was."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from emoclip_sdk import EmoCLIP
from emoclip_sdk.diagnostics.bench.clips import portrait
from emoclip_sdk.runtime.torch_state import isolated_build, isolated_inference

LABELS = ["happiness", "anger"]


def five_calls(model_name: Any, video: Any) -> list[Any]:
    model = EmoCLIP.from_pretrained(model_name, device="cpu")
    return [
        model.classify(video, LABELS).to_dict(),
        model.timeline(video, LABELS, actions=True).to_dict(),
        model.actions(video).to_dict(),
        model.embed(video).tolist(),
        model.explain(video, LABELS).to_dict(),
    ]


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


STATES: dict[str, Callable[[], Any]] = {
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "autocast": lambda: torch.autocast("cpu"),
    "meta": lambda: torch.device("meta"),
    "inference": torch.inference_mode,
}


def everything_set() -> tuple[Any, ...]:
    return (
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),
        random.getstate(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_autocast_enabled("cpu"),
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
        dict(os.environ),
    )


def check(states: list[str], model: Any, video: Any) -> None:
    expected = five_calls(model, video)
    with ExitStack() as stack:
        for name in states:
            stack.enter_context(STATES[name]())
        torch.manual_seed(0)
        before = everything_set()
        results = five_calls(model, video)
        assert everything_set() == before
    assert results == expected


def test_all_at_once(tiny_checkpoint, tmp_path) -> None:
    picture = tmp_path / "face.png"  # of one frame: the networks run, and it takes no time
    from PIL import Image

    from emoclip_sdk.video import open_video

    Image.fromarray(next(open_video(portrait()).frames()).rgb).save(picture)
    check(["float64", "autocast", "meta", "inference"], tiny_checkpoint, picture)


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
def test_each(embedded_model, state) -> None:
    check([state], None, portrait())


@pytest.mark.slow
def test_a_program_of_its_own(tiny_checkpoint) -> None:
    """Where nothing was imported before: packages set variables when they are."""
    code = (
        "import os, torch; torch.manual_seed(0); before = torch.get_rng_state(), dict(os.environ);"
        "from emoclip_sdk import EmoCLIP; import sys;"
        "model = EmoCLIP.from_pretrained(sys.argv[1], device='cpu');"
        "model.classify(sys.argv[2], ['joy', 'anger']);"
        "assert 'open_clip' in sys.modules;"
        "assert torch.equal(before[0], torch.get_rng_state()) and before[1] == dict(os.environ)"
    )
    command = [sys.executable, "-c", code, str(tiny_checkpoint), str(portrait())]
    subprocess.run(command, check=True)


def test_weights_that_were_loaded_in_inference_mode_can_be_trained(tiny_checkpoint) -> None:
    with torch.inference_mode():
        model = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu")
    assert not any(p.is_inference() for p in model.encoder.network.parameters())


def test_threads_that_build_at_once_leave_the_default(monkeypatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")

    def build(_: int) -> torch.dtype:
        with isolated_build():
            os.environ["TOKENIZERS_PARALLELISM"] = "false"
            return torch.rand(2).dtype

    with default_dtype(torch.float64), ThreadPoolExecutor(4) as threads:
        state = torch.get_rng_state()
        assert set(threads.map(build, range(200))) == {torch.float32}
        assert torch.get_default_dtype() == torch.float64
        assert torch.equal(state, torch.get_rng_state())
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"


def test_nothing_of_the_process_changes_while_networks_run() -> None:
    with default_dtype(torch.float64), isolated_inference():
        assert torch.get_default_dtype() == torch.float64
        assert torch.is_inference_mode_enabled()
