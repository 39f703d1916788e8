"""The one exception a user's mistake raises."""


class HysteronError(ValueError):
    """A user's mistake: one line that names the value and the remedy.

    The command line prints it after ``error:`` and exits with status 2; library users catch it as a
    :class:`ValueError`.
    """


def require(condition: bool, message: str) -> None:
    """Raise :class:`HysteronError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise HysteronError(message)


def integer_in(name: str, value: object, low: int, high: int) -> int:
    """Return ``value`` as an int, refusing what is not an integer in ``[low, high]``."""
    try:
        result = int(value)  # type: ignore[call-overload]
        whole = result == value
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole or isinstance(value, bool):
        raise HysteronError(f"{name} must be an integer from {low} to {high}, not {value!r}")
    if not low <= result <= high:
        raise HysteronError(f"{name} must be from {low} to {high}, not {result}")
    return result
