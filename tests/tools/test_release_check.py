"""What `make release-check` notices; the builds and installs themselves are its own to run."""

from __future__ import annotations

import importlib.util
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("release_check", ROOT / "tools/release_check.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_this_checkout_agrees_about_its_version(check):
    assert check.check_version(ROOT) == []


def test_links_of_this_checkout_lead_somewhere(check):
    assert check.check_links(ROOT)[0] == []


def test_a_version_that_was_forgotten(check, tmp_path):
    (tmp_path / "emoclip_sdk").mkdir()
    (tmp_path / "emoclip_sdk/__init__.py").write_text('__version__ = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.1.0 (unreleased)\n")
    (tmp_path / "CITATION.cff").write_text("version: 0.1.0\n")
    assert check.check_version(tmp_path) == [
        "CHANGELOG.md begins with 0.1.0, the package is 0.2.0",
        "CITATION.cff says 0.1.0, the package is 0.2.0",
    ]


def test_a_link_that_leads_nowhere(check, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "CHANGELOG.md").write_text("see [docs](docs/a.md#there)\n")
    (tmp_path / "README.md").write_text("[x](docs/gone.md) [y](https://example.org) [z](#below)\n")
    (tmp_path / "docs/a.md").write_text("```\n[no](link)\n```\n")
    problems, external = check.check_links(tmp_path)
    assert problems == ["README.md: docs/gone.md leads nowhere"]
    assert external == ["https://example.org"]


def test_a_wheel_without_license_or_weights_and_with_tests(check, tmp_path):
    wheel = tmp_path / "emoclip_sdk-1-py3-none-any.whl"
    names = [n for n in check.IN_WHEEL if not n.endswith("safetensors")]
    names += ["emoclip_sdk-1.dist-info/licenses/LICENSE", "tests/test_model.py"]
    with zipfile.ZipFile(wheel, "w") as file:
        for name in names:
            file.writestr(name, "")
    assert check.check_wheel(wheel) == [
        f"{wheel.name}: no emoclip_sdk/assets/emoclip-mini/model.safetensors",
        f"{wheel.name}: no license file NOTICE",
        f"{wheel.name}: tests/test_model.py doesn't belong there",
    ]


def test_a_file_that_is_twice_in_a_wheel_and_a_link_in_an_sdist(check, tmp_path):
    wheel, sdist = tmp_path / "a.whl", tmp_path / "a.tar.gz"
    with zipfile.ZipFile(wheel, "w") as file, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            file.writestr("emoclip_sdk/py.typed", "")
    assert "a.whl: emoclip_sdk/py.typed is twice in it" in check.check_wheel(wheel)
    link = tarfile.TarInfo("emoclip_sdk-1/examples/portrait.mp4")
    link.type, link.linkname = tarfile.SYMTYPE, "../portrait.mp4"
    with tarfile.open(sdist, "w:gz") as file:
        file.addfile(link)
    problems = check.check_sdist(sdist)
    assert "a.tar.gz: emoclip_sdk-1/examples/portrait.mp4 is a link" in problems
    assert "a.tar.gz: no examples/portrait.mp4" in problems


def test_the_pythons_that_are_here(check):
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert check._find_python("3.99") is None
    assert check._find_python(version) is not None
