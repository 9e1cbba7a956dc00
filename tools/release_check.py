"""Check what a release needs: ``make release-check``. Exit code 1 if anything is wrong.

Version, wheel and sdist, license files, sizes, documentation, links, and a clean install of the
wheel with the main job on every Python from 3.10 to 3.13 that is there.

    python tools/release_check.py [--skip install] [--python 3.12]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

__all__ = [
    "changelog_version",
    "check_links",
    "check_sdist",
    "check_version",
    "check_wheel",
    "main",
]

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
MAX_BYTES = 75_000_000
LICENSE_FILES = ("LICENSE", "NOTICE")
IN_WHEEL = (
    "emoclip_sdk/__init__.py",
    "emoclip_sdk/py.typed",
    "emoclip_sdk/assets/emoclip-mini/config.json",
    "emoclip_sdk/assets/emoclip-mini/model.safetensors",
    "emoclip_sdk/assets/prompts/mafw.yaml",
    "emoclip_sdk/assets/prompts/states.yaml",
    "emoclip_sdk/assets/prompts/compounds.yaml",
    "emoclip_sdk/assets/prompts/templates.yaml",
    "emoclip_sdk/assets/portrait.mp4",
)
IN_SDIST = (
    *LICENSE_FILES,
    "README.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    ".github/workflows/ci.yml",
    "Makefile",
    "mkdocs.yml",
    "pyproject.toml",
    "docs/index.md",
    "examples/expressions.mp4",
    "examples/portrait.mp4",
    "examples/walk.ipynb",
    "prompts/mafw.yaml",
    "tests/conftest.py",
    "tools/release_check.py",
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def changelog_version(text: str) -> str | None:
    """Return the version of the first entry: ``## 1.2.3 (2026-01-31)``."""
    match = re.search(r"^## \[?v?(\d[^\s\]]*)", text, re.M)
    return match[1] if match else None


def check_version(root: Path) -> list[str]:
    """Return what is wrong with the version: package, changelog and citation have to agree."""
    source = (root / "emoclip_sdk/__init__.py").read_text("utf-8")
    match = re.search(r'^__version__ = "([^"]+)"', source, re.M)
    version = match[1] if match else None
    entry = changelog_version((root / "CHANGELOG.md").read_text("utf-8"))
    cited = re.search(r'^version: "?([^"\s]+)', (root / "CITATION.cff").read_text("utf-8"), re.M)
    print(f"  {version}")
    problems = []
    if version != entry:
        problems.append(f"CHANGELOG.md begins with {entry}, the package is {version}")
    if cited and cited[1] != version:
        problems.append(f"CITATION.cff says {cited[1]}, the package is {version}")
    return problems


def check_wheel(wheel: Path) -> list[str]:
    """Return what is missing in a wheel, what doesn't belong there, and whether it is too large."""
    with zipfile.ZipFile(wheel) as file:
        members = file.namelist()
    names = set(members)
    problems = [
        f"{wheel.name}: {name} is twice in it" for name in sorted(names) if members.count(name) > 1
    ]
    problems += [f"{wheel.name}: no {name}" for name in IN_WHEEL if name not in names]
    for license in LICENSE_FILES:
        if not any(name.endswith(f".dist-info/licenses/{license}") for name in names):
            problems.append(f"{wheel.name}: no license file {license}")
    for name in sorted(names):
        top = name.partition("/")[0]
        if not (top == "emoclip_sdk" or top.endswith(".dist-info")) or name.endswith(".pyc"):
            problems.append(f"{wheel.name}: {name} doesn't belong there")
    return problems + _too_large(wheel)


def check_sdist(sdist: Path) -> list[str]:
    """Return what is missing in a source distribution, and whether it is too large."""
    with tarfile.open(sdist) as file:
        names = {member.name.partition("/")[2] for member in file if member.isfile()}
        links = [member.name for member in file if not (member.isfile() or member.isdir())]
    problems = [f"{sdist.name}: {name} is a link" for name in links]
    problems += [f"{sdist.name}: no {name}" for name in IN_SDIST if name not in names]
    return problems + _too_large(sdist)


def _too_large(path: Path) -> list[str]:
    size = path.stat().st_size
    print(f"  {path.name}: {size / 1e6:.1f} MB")
    return [f"{path.name}: {size / 1e6:.1f} MB, more than 75"] if size > MAX_BYTES else []


def check_links(root: Path) -> tuple[list[str], list[str]]:
    """Return relative links that lead nowhere, and all external ones (they are not followed)."""
    problems, external = [], set()
    for page in [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]:
        text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
        for target in _LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                external.add(target)
            elif not target.startswith("#"):
                path = page.parent / target.partition("#")[0]
                if not path.exists():
                    problems.append(f"{page.relative_to(root)}: {target} leads nowhere")
    return problems, sorted(external)


def _run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str | None:
    """Run a command; print its output and return what failed, or None."""
    completed = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**_environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if completed.returncode == 0:
        return None
    print(completed.stdout[-3000:])
    return f"{' '.join(map(str, command))}: exit code {completed.returncode}"


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def _build(out: Path) -> list[str]:
    failed = _run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    if failed:
        return [failed]
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return check_wheel(wheel) + check_sdist(sdist)


def _docs(out: Path) -> list[str]:
    failed = _run(sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out)
    return [failed] if failed else []


def _find_python(version: str) -> Path | None:
    """Return an interpreter of that version: of pyenv or uv, or on the path."""
    homes = [
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions",
        Path.home() / ".local/share/uv/python",
    ]
    interpreters = [p for home in homes for p in sorted(home.glob(f"*/bin/python{version}"))]
    on_path = shutil.which(f"python{version}")
    for python in [*interpreters, *([Path(on_path)] if on_path else [])]:
        answer = subprocess.run([str(python), "--version"], capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.split()[1].startswith(f"{version}."):
            return python
    return None


def _install(python: Path, wheel: Path, folder: Path) -> list[str]:
    """Install the wheel into an empty environment and classify the example, offline."""
    failed = _run(python, "-m", "venv", folder / "venv")
    program = folder / "venv/bin"
    failed = failed or _run(program / "python", "-m", "pip", "install", "-q", wheel)
    if failed:
        return [failed]
    shutil.copy(ROOT / "examples/portrait.mp4", folder / "clip.mp4")
    completed = subprocess.run(
        [str(program / "emoclip"), "classify", "clip.mp4", "--json"],
        cwd=folder,
        env={**_environment(), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    if completed.returncode:
        return [f"{python}: emoclip classify: {completed.stderr.strip()[-500:]}"]
    document = json.loads(completed.stdout)
    result = document[0] if isinstance(document, list) else document
    result = result.get("results", [result])[0]
    print(f"  {python}: {result['label']} {max(result['scores'].values()):.3f}", flush=True)
    return [] if result["face_found"] and result["label"] else [f"{python}: no label: {result}"]


def _installs(pythons: list[str], dist: Path) -> list[str]:
    wheels = list(dist.glob("*.whl"))
    if not wheels:
        return ["no wheel to install"]
    problems, missing = [], []
    for version in pythons:
        python = _find_python(version)
        if python is None:
            missing.append(version)
            continue
        with tempfile.TemporaryDirectory() as folder:
            problems += _install(python, wheels[0], Path(folder))
    if missing:
        print(f"  not checked, since not on this machine: Python {', '.join(missing)}")
    return problems if len(missing) < len(pythons) else [*problems, "no Python to check with"]


def _links() -> list[str]:
    problems, external = check_links(ROOT)
    print("  external links, not followed:", *external, sep="\n    ")
    return problems


def main() -> int:
    """Run all steps; return how the process ends."""
    names = ("version", "links", "build", "docs", "install")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--skip", action="append", default=[], choices=names)
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only these")
    chosen = parser.parse_args()
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as work:
        dist = Path(work) / "dist"
        steps: dict[str, Callable[[], list[str]]] = {
            "version": lambda: check_version(ROOT),
            "links": _links,
            "build": lambda: _build(dist),
            "docs": lambda: _docs(Path(work) / "site"),
            "install": lambda: _installs(chosen.python or list(PYTHONS), dist),
        }
        for name, step in steps.items():
            if name in chosen.skip:
                print(f"{name}: skipped")
                continue
            print(f"{name}:", flush=True)
            failures = step()
            lines = [f"  WRONG: {problem}" for problem in failures] or ["  fine"]
            print("\n".join(lines), flush=True)
            problems += failures
    print(f"{len(problems)} problem(s)" if problems else "ready for a release")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
