"""Become another program that dies with its parent: `guard.py PARENT_PID SIGNAL UID GID PROGRAM [ARGUMENT...]`.

Run as a file by path, with nothing but the standard library, between fork and exec of every supervised process. The
kernel forgets the signal when a process changes its user, so the user is changed first. UID and GID of -1 keep it.
Where the kernel has no such signal (macOS) the program is started without.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
NOT_STARTED = 127


def main(arguments: list[str]) -> None:
    """Set the signal, change the user, then exec; never returns unless the program cannot be executed."""
    parent, death_signal, uid, gid = (int(value) for value in arguments[:4])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before the signal was set
            sys.exit(NOT_STARTED)
    try:
        os.execvp(arguments[4], arguments[4:])  # noqa: S606 # the program is the caller's own
    except OSError as error:
        sys.stderr.write(f"cannot execute {arguments[4]}: {error.strerror}\n")
        sys.exit(NOT_STARTED)


if __name__ == "__main__":
    main(sys.argv[1:])
