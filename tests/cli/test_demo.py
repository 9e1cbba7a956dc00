"""``emoclip demo``, as far as no browser is needed."""

from __future__ import annotations

import importlib.util


def test_a_missing_gradio_is_named_before_a_model_is_loaded(emoclip, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "gradio" else find(name, *a)
    )
    code, _, err = emoclip("demo")
    assert code == 1 and 'pip install "emoclip_sdk[demo]"' in err


def test_wrong_usage(emoclip):
    assert emoclip("demo", "--port", "0")[0] == 2
