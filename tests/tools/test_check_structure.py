"""`make quality` notices what makes a house hard to find one's way in."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def check():
    path = ROOT / "tools" / "check_structure.py"
    spec = importlib.util.spec_from_file_location("check_structure", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path, check):
    """Return a function that writes modules and gives their files as the tool finds them."""

    def write(modules: dict[str, str]) -> dict[str, Path]:
        for name, text in modules.items():
            path = tmp_path / "emoclip_sdk" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text, encoding="utf-8")
        return check.package_files(tmp_path)

    return write


def test_imports_of_this_package_go_down(check):
    files = check.package_files(ROOT)
    imports = check.read_imports(files)
    assert len(files) > 100
    assert check.check_circles(imports) == []
    assert check.check_layers(imports, files) == []
    assert check.check_root(files) == []


@pytest.mark.parametrize(
    "back",
    [
        "from .tables import save",
        "from emoclip_sdk.export.tables import save",
        "import emoclip_sdk.export.tables",
        "def late():\n    from .tables import save",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import tables",
    ],
)
def test_a_circle_is_found_however_it_is_closed(check, package, back):
    files = package({"export/tables": "from .files import writing\n", "export/files": back + "\n"})
    (problem,) = check.check_circles(check.read_imports(files))
    assert problem.endswith("circle of imports: export.files, export.tables")


def test_a_circle_through_a_package(check, package):
    files = package({"faces/__init__": "from .crop import cut", "faces/crop": "from . import x"})
    (problem,) = check.check_circles(check.read_imports(files))
    assert problem.endswith("circle of imports: faces, faces.crop")


@pytest.mark.parametrize(
    ("module", "text", "problem"),
    [
        ("video/decode", "import os\nfrom ..faces import Box", "2: video imports faces, above it"),
        ("nn/towers", "from ..video.source import Frame", "nn imports video.source, beside it"),
        ("results/records", "from .timeline import Timeline", "results imports results.timeline"),
        ("corner/lamp", "", "is in no room"),
    ],
)
def test_what_runs_up_or_sideways(check, package, module, text, problem):
    files = package(
        {
            "faces/crop": "",
            "video/source": "",
            "results/records": "",
            "results/timeline": "from .records import ModelInfo",
        }
    )
    assert check.check_layers(check.read_imports(files), files) == []
    files = package({module: text})
    problems = check.check_layers(check.read_imports(files), files)
    assert any(problem in line for line in problems)


def test_one_name_one_thing(check, package):
    files = package(
        {
            "video/clip": '__all__ = ["Frame"]\nclass Frame: ...',
            "faces/frames": '__all__ = ["Frame"]\nclass Frame: ...',
            "faces/__init__": 'from ..video.clip import Frame\n__all__ = ["Frame"]',
            "cli/clip": '__all__ = ["Frame"]\ndef Frame(): ...',
        }
    )
    public = {module: ["Frame"] for module in files}
    (problem,) = check.check_names(public, files)
    assert "'Frame' is public in faces.frames and in video.clip" in problem


def test_a_flat_module(check, package):
    files = package({"model": "", "errors": "", "scoring": "", "video/scoring": ""})
    (problem,) = check.check_root(files)
    assert "scoring.py:1: lies flat at the root" in problem


def test_what_all_says(check, tmp_path):
    module = tmp_path / "module.py"
    module.write_text('__all__ = ["a", "a"]\ndef a(): ...\ndef b(): ...\ndef _c(): ...\n')
    names, problems = check.check_file(module)
    assert names == ["a", "a"]
    assert [problem.partition(": ")[2] for problem in problems] == [
        "'a' is twice in __all__",
        "'b' is public and not in __all__",
    ]
    module.write_text('"""A module."""\nx = 1\n')
    assert check.check_file(module)[1][0].endswith("no __all__")
    assert "can't be had" in check.check_import("json", ["loads", "no_such_name"])[0]
