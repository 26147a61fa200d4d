"""How many cores this platform may use, and how many of them the embedded model gets."""

import os
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")


def inference_threads(cores: int) -> int:
    """How many cores the embedded model computes on: one is left to the services, which would stall it otherwise.

    A busy process beside as many spinning threads as cores slows generation down to a tenth.
    """
    return max(1, cores - 1)


def usable_cores(cgroups: Path = CGROUPS) -> int:
    """Whole physical cores that this process may use: by its affinity and by its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or allowed
    return max(1, min(allowed, physical, quota_cores(cgroups) or allowed))


def quota_cores(cgroups: Path) -> int | None:
    """The container's processor quota in whole cores, at least one; None when there is none."""
    try:
        quota, period = (cgroups / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        quota, period = _read(cgroups / "cpu/cpu.cfs_quota_us"), _read(cgroups / "cpu/cpu.cfs_period_us")
    if not (quota.isdigit() and period.isdigit() and int(period)):  # "max", -1, or not there: no quota
        return None
    return max(1, int(quota) // int(period))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
