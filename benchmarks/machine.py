"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from typing import Any

from config import ROOT


def describe_machine() -> dict[str, Any]:
    """Cores, memory in bytes, versions, and the load of the last minute: figures of a busy machine say so themselves."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "streamlit": version("streamlit"),
        "load": round(os.getloadavg()[0], 2),
    }


def find_commit() -> str:
    """The commit measured, with `+` for a changed tree; empty where this is no repository."""
    try:
        told = subprocess.run(
            ("git", "describe", "--always", "--dirty=+", "--exclude=*"), cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return told.stdout.strip()
