"""Waiting in tests goes by looks, not by the clock: on a machine that is busy each look comes later, and so does the
end of patience."""

import time


def until(seconds, there, pause=0.01):
    """Whether there() has come true within as many looks as an idle machine takes in `seconds`."""
    for _ in range(int(seconds / pause)):
        if there():
            return True
        time.sleep(pause)
    return there()
