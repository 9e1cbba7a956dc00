"""`emoclip-train` is the same product as `emoclip`."""

from __future__ import annotations

import sys

import pytest

from emoclip_sdk import __version__
from emoclip_sdk.training.cli import main


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["emoclip-train", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return end.value.code or 0, out, err


def test_help_and_version(monkeypatch, capsys):
    assert run(monkeypatch, capsys, "--version") == (0, f"emoclip_sdk {__version__}\n", "")
    code, out, err = run(monkeypatch, capsys, "evaluate", "-h")
    assert (code, err) == (0, "") and "-q, --quiet" in out and "╭" not in out
    assert max(map(len, out.splitlines())) <= 80
    code, out, err = run(monkeypatch, capsys, "evaluate", "--nonsense")
    assert (code, out) == (2, "") and err.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (["evaluate", "--root", "missing"], "torchmetrics"),
        (["evaluate", "--root", "missing", "--examples", "a.png"], "matplotlib"),
        (["ness", "--manifest", "missing.csv", "--scale", "panss"], "matplotlib"),
        (["ness", "--manifest", "missing.csv", "--scale", "panss"], "sklearn"),
    ],
)
def test_a_missing_package_is_told_first(monkeypatch, capsys, arguments, package):
    monkeypatch.setitem(sys.modules, package, None)
    code, out, err = run(monkeypatch, capsys, *arguments)
    assert (code, out) == (1, "") and f"'{package}'" in err
    assert 'pip install "emoclip_sdk[train]"' in err
