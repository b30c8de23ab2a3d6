"""The script `ringback`: Ctrl-C ends it without a traceback from its first moment on."""

import signal


def run() -> None:
    """Load the command line and run it; while it loads Ctrl-C kills, for there is nothing to put in order."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cli import main

    signal.signal(signal.SIGINT, usual)
    main.run()
