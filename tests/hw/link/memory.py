"""A memory beside the link, in Python: just what `hw.store.ports` says, with stalls."""

from tritgrad.firmware.store import Kind
from tritgrad.hw.store.ports import Task
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample
from tritgrad.model.store import store_of

from ..lockstep import sample_words
from .harness import get, wait


class Memory:
    """Answers at the port of a `CommandProcessor`.

    Attributes
    ----------
    store
        What it holds, as the golden device's.
    """

    def __init__(self, config, dut, idle):
        self.config, self.port, self.idle = config, dut.store, idle
        self.store = store_of(config)

    async def process(self, ctx):
        if self.config.store == Kind.RAM:
            await self._ram(ctx)
        else:
            await self._flash(ctx)

    async def _give(self, ctx, stream, items):
        for item in items:
            await wait(ctx, self.idle())
            ctx.set(stream.payload, item)
            ctx.set(stream.valid, 1)
            ready = False
            while not ready:
                *_, ready = await ctx.tick().sample(stream.ready)
            ctx.set(stream.valid, 0)

    async def _ram(self, ctx):
        port, store = self.port, self.store
        ctx.set(port.ready, 1)
        while True:
            await wait(ctx, self.idle())
            ctx.set(port.idle, 1)
            started = False
            while not started:
                *_, started, task, number, inputs, planes = await ctx.tick().sample(
                    port.start, port.task, port.number, port.inputs, port.planes)
            ctx.set(port.idle, 0)
            layer = Layer(inputs, 2, planes, 0, 0)
            if task == Task.PLAY:
                sample, = store.play(number, 1, layer, 256, False)
                whole = Layer(len(sample[0]), 2, planes, 0, 0)
                await self._give(ctx, port.o, [
                    {name: int(value) for name, value in word.items()} for word in sample_words(
                        self.config, whole, Sample(*sample))])
            elif task == Task.FILL:
                words = []
                while not words or not words[-1].last:
                    words.append(await get(ctx, port.i, self.idle()))
                store.fill(number, [sample_of(self.config, layer, words)], layer)
            else:
                record = store.cells[store.places(number, 1, layer)][0].tolist()
                await self._give(ctx, port.raw, [
                    {"data": word, "last": n == len(record) - 1}
                    for n, word in enumerate(record)])

    async def _flash(self, ctx):
        port, store = self.port, self.store
        while True:
            await wait(ctx, self.idle())
            ctx.set(port.idle, 1)
            started = sends = False
            while not started and not sends:
                *_, started, address, sends = await ctx.tick().sample(
                    port.start, port.address, port.i.valid)
            ctx.set(port.idle, 0)
            if started:
                await self._stream(ctx, lambda n, at=address: store.read(at + n, 1)[0])
                continue
            sent, receive, last = bytearray(), 0, False
            while not last:
                await wait(ctx, self.idle())
                ctx.set(port.i.ready, 1)
                *_, valid, item, receive = await ctx.tick().sample(
                    port.i.valid, port.i.p, port.receive)
                ctx.set(port.i.ready, 0)
                if valid:
                    sent.append(item.data)
                    last = item.last
            if receive:
                answer = store.transact(bytes(sent), 1000)
                await self._stream(ctx, answer.__getitem__)
            else:
                store.transact(bytes(sent), 0)

    async def _stream(self, ctx, byte):
        """Bytes until they are stopped."""
        port, at, left = self.port, 0, self.idle()
        while True:
            ctx.set(port.o.valid, not left)
            ctx.set(port.o.p, byte(at))
            *_, stopped, valid, ready = await ctx.tick().sample(
                port.stop, port.o.valid, port.o.ready)
            if stopped:
                break
            if valid and ready:
                at, left = at + 1, self.idle()
            else:
                left = max(0, left - 1)
        ctx.set(port.o.valid, 0)


def sample_of(config, layer, words):
    """Inputs and label of a sample's words."""
    x = [sum((int(word.planes) >> p * config.lanes + lane & 1) << p for p in range(layer.planes))
         for word in words for lane in range(config.lanes)]
    return x[:layer.inputs], int(words[0].label)
