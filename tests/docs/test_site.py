"""The site builds without a warning and asks nothing of the network."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .pages import ROOT


def test_site(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings_handlers.python")
    pytest.importorskip("material")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    loaded = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="https?://([^"]+)')
    for page in tmp_path.rglob("*.html"):
        assert not loaded.findall(page.read_text("utf-8")), page.name
    reference = (tmp_path / "api/index.html").read_text("utf-8")
    assert 'id="emoclip_sdk.EmoCLIP.from_pretrained"' in reference  # inherited
    assert ":meth:" not in reference
