"""One process of the floor, run until it is killed: python tests/bench/_floor_roles.py ROLE CONFIG (JSON)."""

import gc
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from bench import _floor_adapter, _floor_coach, _floor_peers

ROLES: dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, None]]] = {
    "edge": _floor_peers.edge,
    "model": _floor_peers.model,
    "memory": _floor_peers.memory,
    "adapter": _floor_adapter.adapter,
    "sender": _floor_adapter.sender,
    "coach": _floor_coach.coach,
}

if __name__ == "__main__":
    gc.freeze()  # as the product's processes do
    gc.set_threshold(20_000, 20)
    uvloop.run(ROLES[sys.argv[1]](json.loads(sys.argv[2])))
