"""``emoclip info`` as a user meets it."""

from __future__ import annotations

import json

# Classify


def test_info(emoclip, tiny_checkpoint, tiny_model):
    arguments = ("info", "--model", tiny_checkpoint, "--device", "cpu")
    code, out, _ = emoclip(*arguments, "--json")
    found = json.loads(out)
    assert code == 0 and found["model"] == tiny_model.name
    parts = dict(found["parameters"])
    assert parts.pop("all") == sum(parts.values())
    assert found["prompt_bank"]["hash"] == tiny_model.prompts.hash
    dtype = str(tiny_model.encoder.dtype).removeprefix("torch.")
    assert (found["device"], found["dtype"], found["embedding"]) == ("cpu", dtype, 32)
    code, out, _ = emoclip(*arguments)
    assert code == 0 and "neutral, happiness" in out


def test_of_a_broken_checkpoint_still_shows_versions(emoclip, tmp_path):
    code, out, err = emoclip("info", "--model", tmp_path, "--json")
    assert code == 1 and json.loads(out)["versions"]["torch"] and "config.json" in err
