"""Prove the training half on generated stand-ins: `python tools/stand_in_study.py OUT`.

The closed datasets can't be had here, so a drawn face takes their place, in their layouts:

1. contrastive training on captions from random small towers, zero-shot on the test fold;
2. classes with the same frames in opposite order: temporal module against mean of frames;
3. leave one class out;
4. compounds: eq. 2 against concatenated prompts;
5. the report with the paper's tables.

Every step is a command of `emoclip-train`; it is printed, and can be run by hand. Finished steps
are not done again. What was found is in OUT/study.json.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

TRAIN = Path(sys.executable).with_name("emoclip-train")


def command(*parts: str | Path) -> str:
    """Run one command of emoclip-train, print it, and return what it wrote on stdout."""
    arguments = [str(part) for part in parts]
    print("$ emoclip-train", shlex.join(arguments), flush=True)
    return subprocess.run([TRAIN, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def evaluate(*parts: str | Path) -> dict[str, Any]:
    """Measure on the test split."""
    figures: dict[str, Any] = json.loads(
        command("evaluate", "--split", "test", "--json", "--draws", "200", *parts)
    )
    print(f"  UAR {figures['uar']:.3f}  WAR {figures['war']:.3f}  n {figures['n']}", flush=True)
    return {key: figures[key] for key in ("uar", "war", "f1", "auc", "n", "intervals")}


def settings(**changes: Any) -> list[str]:
    """Turn keyword arguments (``__`` for the dot) into ``--set`` options."""
    pairs = (f"{key.replace('__', '.')}={json.dumps(value)}" for key, value in changes.items())
    return [part for pair in pairs for part in ("--set", pair)]


def fixture(dataset: str, root: Path, *options: str) -> Path:
    """Draw a stand-in, once."""
    if not root.exists():
        command("make-fixture", "--dataset", dataset, "-o", root, "--processes", "2", *options)
    return root


def study(out: Path, clips: int) -> dict[str, Any]:
    """Run all steps and return their figures."""
    results: dict[str, Any] = {}
    looks = ("--subjects", "200", "--nuisance", "0.5", "--frames", "20", "32")
    mafw = fixture(
        "mafw", out / "mafw", "--clips-per-class", str(clips), "--compounds", "15", *looks
    )
    command("check", "--dataset", "mafw", "--root", mafw, "--no-sizes")

    model = out / "contrastive"
    command(
        "contrastive", "--recipe", "fixture", "--dataset", "mafw", "--root", mafw, "--output", model
    )
    here = ("--dataset", "mafw", "--root", mafw, "--model", model, "--cache", out / "cache")
    results["zero-shot, 11 classes"] = evaluate(*here)
    results["zero-shot, 11 classes, frame ensemble"] = evaluate(*here, "--frames", "mean")
    results["majority class"] = evaluate("--dataset", "mafw", "--root", mafw, "--model", "majority")
    compound = (*here, "--task", "compound", "--compound")
    results["43 classes, eq. 2"] = evaluate(*compound, "average")
    results["43 classes, concatenated prompts"] = evaluate(*compound, "concatenate")

    # The towers know faces by now; what is new is the order of frames.
    order = fixture("order", out / "order", "--clips-per-class", "200", *looks)
    listed = order / "manifest.csv"
    for name, kind in (("temporal module", "transformer"), ("frame ensemble", "mean")):
        model = out / f"order-{kind}"
        command(
            "contrastive", "--recipe", "fixture", "--dataset", "manifest", "--root", listed,
            "--output", model,
            *settings(
                model__start=str(out / "contrastive"), model__towers=None,
                model__bag_of_words=False, model__temporal__kind=kind,
                model__prompts=str(order / "prompts.yaml"),
                optim__lr__visual=None, optim__epochs=30, optim__batch_size=32,
            ),
        )  # fmt: skip
        results[f"order of frames, {name}"] = evaluate(
            "--dataset", "manifest", "--root", listed, "--model", model,
            "--prompts", order / "prompts.yaml",
        )  # fmt: skip

    # All eleven take too long. What these two do is also done by other classes, so that a model
    # which never saw them has seen their parts.
    left_out = ["fear", "sadness"]
    results["leave one class out"] = json.loads(
        command(
            "loco", "--recipe", "fixture", "--dataset", "mafw", "--root", mafw,
            "--output", out / "loco",
            *settings(experiment="loco", loco__classes=left_out),
        )
    )  # fmt: skip

    roots = out / "roots.yaml"
    roots.write_text(
        yaml.safe_dump(
            {
                "datasets": {"mafw": str(mafw)},
                "models": {
                    "emoclip": str(out / "contrastive"),
                    "loco": {"mafw": str(out / "loco")},
                },
            }
        ),
        encoding="utf-8",
    )
    print(command("tables", "--roots", roots, "--output", out / "report", "--draws", "200"))
    return results


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips-per-class", type=int, default=300)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    results = study(options.out.resolve(), options.clips_per_class)
    results["minutes"] = round((time.monotonic() - start) / 60, 1)
    (options.out / "study.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
