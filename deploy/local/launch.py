"""Runs a command that ends when its parent does: `python launch.py PARENT_PID COMMAND ARGUMENT...`.

A separate step instead of Popen's preexec_fn, which may deadlock in a process with threads. The wish
to be killed with the parent survives the exec, so this program replaces itself and costs no memory.
Imports nothing of ours: it runs isolated, before any path is set up.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Ask Linux for SIGKILL at the parent's death (other systems cannot), then become the command."""
    parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            sys.exit(1)  # it died before we asked
    try:
        os.execvp(command[0], command)  # noqa: S606 - an argument list, no shell
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
