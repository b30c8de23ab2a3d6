"""Does a part that runs still answer? Asked by a thread of its own: one that hangs holds up nobody."""

import http.client
import threading
from collections.abc import Callable

from deploy.local.ports import LOOPBACK

ASK_EVERY_S = 5.0
ANSWER_WITHIN_S = 5.0
SILENT_MAX = (
    9  # askings in a row: 45 s at least, and four pauses of the longest that was measured in a worker
)
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


def http_answers(host: str, port: int, path: str, well: Callable[[int], bool]) -> bool:
    """Does a server answer a GET in time, with a status that is well?"""
    to = LOOPBACK if host in EVERYWHERE else host
    connection = http.client.HTTPConnection(to, port, timeout=ANSWER_WITHIN_S)
    try:
        connection.request("GET", path)
        return well(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Pulse:
    """Asks again and again whether a part answers.

    Askings are counted, not seconds: when the machine or we ourselves stood still, the part is not blamed.
    Nor is one that never answered: its port may belong to another program.
    """

    def __init__(self, answers: Callable[[], bool], every_s: float = ASK_EVERY_S) -> None:
        self._answers, self._every_s = answers, every_s
        self._silent, self._heard = 0, False
        self._stop = threading.Event()
        threading.Thread(target=self._ask, name="pulse", daemon=True).start()

    @property
    def hangs(self) -> bool:
        """Has it stopped answering?"""
        return self._heard and self._silent >= SILENT_MAX

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()

    def _ask(self) -> None:
        while not self._stop.wait(self._every_s):
            if self._answers():
                self._heard, self._silent = True, 0
            else:
                self._silent += 1
