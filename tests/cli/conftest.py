"""The command as a user meets it."""

from __future__ import annotations

import logging
import sys
import warnings

import pytest

from emoclip_sdk.cli import main


@pytest.fixture
def emoclip(monkeypatch, capsys):
    """Run the command in this process; returns exit code, standard output, standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["emoclip", *map(str, arguments)])
        monkeypatch.setattr(logging.getLogger(), "handlers", logging.getLogger().handlers[:])
        with warnings.catch_warnings(), pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return end.value.code or 0, out, err

    return run


@pytest.fixture
def tiny(tiny_checkpoint):
    return ("--model", tiny_checkpoint, "--device", "cpu", "--faces", "none")


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video at all")
    return path
