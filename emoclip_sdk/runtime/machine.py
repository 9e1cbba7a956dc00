"""The machine that something was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .processes import usable_cpus

if TYPE_CHECKING:
    import torch

__all__ = ["machine_facts", "memory", "processor"]


def machine_facts(device: torch.device) -> dict[str, Any]:
    """Return what a timing on a device has to be read with."""
    import torch

    name = processor() if device.type == "cpu" else torch.cuda.get_device_name(device)
    return {
        "device": str(device),
        "processor": name,
        "cores": usable_cpus(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "torch": str(torch.__version__),
    }


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="ignore").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def memory() -> int | None:
    """Return the bytes of memory; None where the system doesn't tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
