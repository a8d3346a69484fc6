"""Signals that wait until a training step is complete."""
import contextlib
import signal
import threading

ALWAYS = (signal.SIGINT, signal.SIGTERM)
OTHERS = ("SIGHUP", "SIGUSR1")  # not all systems have them


def signals_to_stop():
    """Return the signals that ask a process to stop, without those that nohup lets it ignore."""
    others = [getattr(signal, name) for name in OTHERS if hasattr(signal, name)]
    return [*ALWAYS, *(number for number in others
                       if signal.getsignal(number) is not signal.SIG_IGN)]


def raise_at_signals():
    """Let each of these signals raise KeyboardInterrupt, as Ctrl-C does, from now on."""
    for number in signals_to_stop():
        signal.signal(number, signal.default_int_handler)


@contextlib.contextmanager
def deferred_interrupts():
    """Collect signals that ask to stop in a list, the context's value, instead of raising.

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

    before = {number: signal.signal(number, receive) for number in signals_to_stop()}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
