"""Signals that wait until a training step is complete."""
import contextlib
import signal
import threading


@contextlib.contextmanager
def deferred_interrupts():
    """Collect SIGINT and SIGTERM in a list, which is the context's value, instead of raising.

    So no step is cut in two. A second signal raises KeyboardInterrupt at once. Outside the main
    thread signals are left as they are: Python delivers them to the main thread alone.
    """
    received = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def receive(number, frame):
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, receive)
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
