"""How long a drawing on the page of `tritgrad live` waits for the compiled RTL."""

import base64
import json
import threading
import time
import urllib.request

import numpy as np
from _rtl import write

from tritgrad.host.live.server import bound, server_of
from tritgrad.host.live.studio import Studio, without
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import Watcher, open_learner


def main() -> None:
    """Train, then time requests over the socket: looks and lessons with 16 old rows."""
    options = TrainOptions(hidden=(64,), epochs=2)
    data = without(options.load_data(), ["3"])
    studio = Studio(options, data, open_learner(options, options.recipe(data), Watcher()))
    studio.train()
    address = bound("127.0.0.1", 0, False)
    server = server_of(studio)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [address]})
    thread.start()
    page = f"http://127.0.0.1:{address.getsockname()[1]}/api/"
    drawing = np.zeros((64, 64), np.uint8)
    drawing[8:56, 28:36] = 255
    given = {"drawing": base64.b64encode(drawing.tobytes()).decode(), "label": 3, "step": 0,
             "old": 16}

    def asked(name: str) -> float:
        before = time.monotonic()
        request = urllib.request.Request(page + name, json.dumps(given).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            answer.read()
        return 1000 * (time.monotonic() - before)

    found: dict[str, object] = {}
    for name, what in ("look", "stroke"), ("teach", "lesson with 300 rows inferred"):
        times = sorted(asked(name) for _ in range(50))
        found[what] = {"median_ms": round(times[25], 1), "49_of_50_ms": round(times[48], 1)}
        print(f"{what}: {found[what]}")
    write("live_stroke", found)
    server.should_exit = True
    thread.join()
    address.close()
    studio.close()


if __name__ == "__main__":
    main()
