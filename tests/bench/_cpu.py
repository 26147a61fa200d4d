"""Where a round's processor time goes: by program, below this process."""

import psutil

PROGRAMS = ("gateway", "channel_adapter", "coaching", "llm_inference", "vector_search")


def _name(process: psutil.Process) -> str:
    words = process.cmdline()
    for number, word in enumerate(words):
        if word.endswith("_floor_roles.py"):
            return f"floor {words[number + 1]}"
        if word.partition(".")[0] in PROGRAMS:
            return word.partition(".")[0]
    return process.name()


class Cpu:
    """Counts from its making."""

    def __init__(self) -> None:
        self._before = self._now()

    def milliseconds(self, turns: int) -> dict[str, float]:
        """Return each program's milliseconds a turn since then, the most first."""
        spent = {name: seconds - self._before.get(name, 0.0) for name, seconds in self._now().items()}
        most = sorted(spent.items(), key=lambda item: -item[1])
        return {name: round(1000 * seconds / turns, 2) for name, seconds in most if seconds > 0.01}

    @staticmethod
    def _now() -> dict[str, float]:
        seconds: dict[str, float] = {}
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            try:
                times = process.cpu_times()
                name = "world" if process == me else _name(process)
            except psutil.NoSuchProcess:
                continue
            seconds[name] = seconds.get(name, 0.0) + times.user + times.system
        return seconds
