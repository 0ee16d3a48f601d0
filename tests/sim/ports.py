"""Virtual boards in a thread, for tests."""

import contextlib
import threading

from tritgrad.sim.virtual import ModelBoard, VirtualPort


@contextlib.contextmanager
def serving(device, folder, *arguments, **named):
    """A `VirtualPort` that is served while the block runs."""
    port = VirtualPort(device, folder / "port", *arguments, **named)
    over = threading.Event()
    failures = []

    def serve():
        try:
            port.serve(over.is_set)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        over.set()
        thread.join(20)
        assert not thread.is_alive()
        port.close()
        assert not failures


class Muted(ModelBoard):
    """A board that says something fixed, if anything, to whatever it is sent."""

    def __init__(self, config, said=b""):
        self.said = said
        self.heard = b""
        super().__init__(config)

    def exchange(self, data, rate):
        self.heard += data
        return self.said if data else b""
