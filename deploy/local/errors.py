"""The one error of the local stack: what happened, and what to do next."""


class LocalStackError(Exception):
    """A part of the local stack cannot run. The command line turns it into exit status 3.

    `message` says what happened; `hint` says what the user can do about it.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}"
