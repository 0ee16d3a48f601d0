"""What all open pages are told, from whatever thread it comes."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["Hub"]

#: Messages that a page may be behind; one that is further behind misses some, and no harm is done,
#: as each message is the whole state.
BEHIND = 16
#: Seconds after which a silent line is used, so that nothing between takes it for dead.
SILENCE_S = 15.0


class Hub:
    """Hands each message to every listener."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[asyncio.Queue[str | None]] = set()
        self._closed = False

    def open(self) -> None:
        """Begin, in the loop that the listeners run in."""
        self._loop = asyncio.get_running_loop()

    def publish(self, message: dict[str, Any]) -> None:
        """Tell all listeners. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, json.dumps(message, allow_nan=False))

    def close(self) -> None:
        """End all listening. To be called in the loop."""
        self._closed = True
        self._put(None)

    async def listen(self, first: dict[str, Any]) -> AsyncIterator[str]:
        """Server-sent events, the first one at once."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(BEHIND)
        self._queues.add(queue)
        try:
            yield f"data: {json.dumps(first, allow_nan=False)}\n\n"
            while not self._closed:
                try:
                    message = await asyncio.wait_for(queue.get(), SILENCE_S)
                except asyncio.TimeoutError:
                    yield ": still here\n\n"
                    continue
                if message is None:
                    return
                yield f"data: {message}\n\n"
        finally:
            self._queues.discard(queue)

    def _put(self, message: str | None) -> None:
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(message)
