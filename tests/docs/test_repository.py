"""What the hosting site reads: workflows and forms parse, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .pages import PAGES, ROOT

PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [p for p in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if p.stem != "config"]
INPUTS = {"checkboxes", "dropdown", "input", "markdown", "textarea"}


def read(path: Path):
    return yaml.safe_load(path.read_text("utf-8"))


def steps(path: Path) -> list[dict]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow(path):
    jobs = read(path)["jobs"]
    for job in jobs.values():
        assert job["runs-on"] and job["steps"]
        assert set(job.get("needs", "").split()) <= set(jobs)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    for step in steps(path):
        assert ("uses" in step) != ("run" in step), step
        if "uses" in step:
            assert re.search(r"@(release/)?v\d+$", step["uses"]), (
                f"{step['uses']}: no major version"
            )
            continue
        for file in re.findall(r"(?:\.ci|tools|examples)/[\w.-]+", step["run"]):
            assert (ROOT / file).is_file(), file
        for target in re.findall(r"\bmake ([a-z-]+)", step["run"]):
            assert target in targets, target
        for extras in re.findall(r"\.\[([\w,-]+)\]", step["run"]):
            for extra in extras.split(","):
                assert re.search(rf"^{extra} = \[", PROJECT, re.M), extra


def test_ci_runs_each_python_that_the_package_says_it_supports():
    matrix = read(GITHUB / "workflows/ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == re.findall(r"Python :: (3\.\d+)", PROJECT)
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_ci_runs_the_quality_checks_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    rule = re.search(r"^quality:.*\n((?:\t.*\n)+)", makefile, re.M)
    assert rule
    wanted = [line.strip().removeprefix("$(PYTHON) ") for line in rule[1].splitlines()]
    done = "\n".join(step.get("run", "") for step in steps(GITHUB / "workflows/ci.yml"))
    assert [line for line in wanted if f"python {line}" not in done] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_form(path):
    form = read(path)
    assert form["name"] and form["description"]
    ids = [item["id"] for item in form["body"] if item["type"] != "markdown"]
    assert ids and len(ids) == len(set(ids))
    for item in form["body"]:
        assert item["type"] in INPUTS
        assert item["attributes"]["value" if item["type"] == "markdown" else "label"]


def test_pages_that_the_forms_name_exist():
    for path in GITHUB.rglob("*.*"):
        for page in re.findall(r"\b(?:docs/[\w/-]+|[A-Z]+)\.md\b", path.read_text("utf-8")):
            assert (ROOT / page).is_file(), f"{path.name}: {page}"


def test_the_hook_formats_with_the_ruff_that_the_project_pins():
    hooks = read(ROOT / ".pre-commit-config.yaml")
    (rev,) = [repo["rev"] for repo in hooks["repos"] if repo["repo"].endswith("ruff-pre-commit")]
    pinned = re.search(r'"ruff~=(\d+\.\d+)', PROJECT)
    assert pinned and rev.startswith(f"v{pinned[1]}.")
    for repo in hooks["repos"]:
        for hook in repo["hooks"]:
            for file in re.findall(r"tools/\w+\.py", hook.get("entry", "")):
                assert (ROOT / file).is_file()


def test_the_places_to_fill_in_are_those_that_the_page_names():
    """An address that was filled in in one file only would be half a release."""
    page = (ROOT / "docs/releasing.md").read_text("utf-8")
    files = [ROOT / "pyproject.toml", ROOT / "CITATION.cff", *GITHUB.rglob("*.*"), *PAGES]
    names = [str(p.relative_to(ROOT)) for p in files if "OWNER/" in p.read_text("utf-8")]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_that_a_page_names_exist(page):
    """Inside the package a path may begin at its room: ``video/decode.py``."""
    text = page.read_text("utf-8")
    inside = "|".join(p.name for p in (ROOT / "emoclip_sdk").iterdir() if p.is_dir())
    top = r"emoclip_sdk|tests|tools|benchmarks|examples|prompts|docs"
    for path in re.findall(rf"(?<![\w/.-])((?:{top}|{inside})/[\w./-]*\w)", text):
        if Path(path).suffix in (".py", ".md", ".yaml"):
            places = (ROOT / path, ROOT / "emoclip_sdk" / path)
            assert any(place.exists() for place in places), path
