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
    glued = re.compile(r"<p>[^<]*(?:<(?!/p)[^<]*)*\n\s*(?:- |\d+\. )")
    loaded = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="https?://([^"]+)')
    for page in tmp_path.rglob("*.html"):
        html = page.read_text("utf-8")
        assert not loaded.findall(html), page
        assert not glued.findall(html), f"{page}: a list needs an empty line before it"
    reference = (tmp_path / "api/index.html").read_text("utf-8")
    assert 'id="emoclip_sdk.EmoCLIP.from_pretrained"' in reference  # inherited
    assert ":meth:" not in reference
