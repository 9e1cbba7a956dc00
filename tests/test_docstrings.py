"""The examples in the docstrings of what users call, with the embedded model and our own clip."""

from __future__ import annotations

import doctest
import shutil

import pytest

from emoclip_sdk import EmoCLIP, ReadOptions, run_actions, run_batch
from emoclip_sdk.assets import asset
from emoclip_sdk.faces import Detection, FaceDetector

METHODS = (
    "from_pretrained",
    "classify",
    "classify_batch",
    "embed",
    "timeline",
    "timeline_rows",
    "read",
    "explain",
    "add_label",
    "add_compound",
)


@pytest.mark.parametrize("name", [*METHODS, "run_batch", "run_actions", "FaceDetector"])
def test_example(name, embedded_model, tmp_path, monkeypatch, no_processes):
    if name in ("run_batch", "run_actions"):
        pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    shutil.copy(asset("portrait.mp4"), "portrait.mp4")
    functions = {"run_batch": run_batch, "run_actions": run_actions}
    documented = {**functions, "FaceDetector": FaceDetector}.get(name) or getattr(EmoCLIP, name)
    names = {
        "EmoCLIP": EmoCLIP,
        "Detection": Detection,
        "FaceDetector": FaceDetector,
        "ReadOptions": ReadOptions,
        "model": embedded_model.with_prompts(),
        **functions,
    }
    examples = doctest.DocTestFinder(recurse=False).find(documented, name, globs=names)
    assert sum(len(example.examples) for example in examples)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for example in examples:
        runner.run(example)
    assert not runner.failures
