"""Print one summary line, as pytest writes it, for several runs of pytest: summary.py SECONDS LOG..."""

import re
import sys
from collections import Counter
from pathlib import Path

LAST_LINE = re.compile(r"^=*\s*(\d+ [a-z]+(?:, \d+ [a-z]+)*) in [\d.]+s")
ONE = {"error": "errors", "warning": "warnings"}
ORDER = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warnings", "errors")


def counts(log: str) -> Counter[str]:
    """Add up the outcomes of every run of pytest in a log."""
    found: Counter[str] = Counter()
    for line in log.splitlines():
        if last := LAST_LINE.match(re.sub(r"\x1b\[[\d;]*m", "", line)):
            for part in last[1].split(", "):
                number, word = part.split()
                found[ONE.get(word, word)] += int(number)
    return found


def summary(found: Counter[str], seconds: int) -> str:
    words = ", ".join(f"{found[word]} {word}" for word in ORDER if found[word])
    return f"===== {words or 'no tests ran'} in {seconds}.00s =====\n"


if __name__ == "__main__":
    total = sum((counts(Path(name).read_text(errors="replace")) for name in sys.argv[2:]), Counter[str]())
    sys.stdout.write(summary(total, int(sys.argv[1])))
