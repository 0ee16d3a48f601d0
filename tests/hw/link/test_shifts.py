"""Images filled and played, shifted, by the command processor as by the golden device."""

import random
import struct

import pytest

from tritgrad.firmware.frames import Frame, FrameDecoder, Run, Status, Type, pack_fields
from tritgrad.firmware.isa import Op, encode
from tritgrad.model.layout import Layer
from tritgrad.units.registry import LAYER_ROW

from .author import Author
from .test_commands import SHIFTS, WIDE_SHIFTS, converse


class Player(Author):
    """Begins with what a core needs for images, then mostly fills and plays them."""

    def __init__(self, config, rng):
        super().__init__(config, rng)
        self.script = [Type.HELLO, Type.TABLE, Type.PROGRAM, Type.WRITE, Type.PRNG,
                       *[Type.FILL] * 4, Type.RUN, Type.PLAY, Type.PLAY]

    def frame(self):
        kind = self.script.pop(0) if self.script else self.choose()
        return Frame(kind, self.device.expected, getattr(self, kind.name.lower())())

    def choose(self):
        if self.device.nonce == 0:  # the first frames may have been damaged
            return Type.HELLO
        if self.device.machine.run is Run.RUNNING:
            return self.rng.choice([*[Type.PLAY] * 7, Type.DATA, Type.STATUS, Type.ABORT])
        return self.rng.choice([Type.RUN, Type.RUN, Type.FILL, Type.CHECK, Type.TABLE])

    def hello(self):
        return struct.pack("<I", 1)

    def table(self):
        c, rng = self.config, self.rng
        columns, planes = rng.randint(1, c.store_columns), rng.randint(1, c.store_planes)
        rows = rng.randint(1, min(c.store_rows, c.max_inputs // columns))
        return pack_fields(LAYER_ROW, **vars(Layer(rows * columns, 4, planes, 0, 0, columns)))

    def program(self):
        """Takes samples for ever, or four."""
        words = self.rng.choice([[encode(Op.RECV), encode(Op.SKIP, 0)],
                                 [encode(Op.COUNT, 4), encode(Op.RECV), encode(Op.LOOP, 1),
                                  encode(Op.HALT)]])
        return struct.pack(f"<{len(words)}I", *words)

    def write(self):
        return struct.pack("<BBHH", 0, 0, 0, 1) + bytes(self.config.trit_word_bytes)

    def prng(self):
        return struct.pack("<Q", 1)

    def fill(self):
        """Images with many pixels, records 0 to 5."""
        if not self.device.machine.layers:
            return bytes(5)
        rng, row = self.rng, self.device.record_row
        size = self.sample_size(row)
        count = min(3, (self.config.max_payload - 5) // (1 + size))
        labels = bytes(rng.randrange(4) for _ in range(count))
        return (rng.randrange(4).to_bytes(3, "little") + bytes([0, count]) + labels
                + rng.randbytes(size * count))

    def play(self):
        """Of those, or anything."""
        rng, most = self.rng, self.config.store_shift
        if rng.random() < 0.2:
            return super().play()
        entries = b"".join(bytes([rng.randrange(6), 0, (rng.randint(-most, most) & 15)
                                  | (rng.randint(-most, most) & 15) << 4])
                           for _ in range(rng.randint(1, 4)))
        if rng.random() < 0.2:  # just too far
            entries = entries[:-1] + bytes([rng.choice([0xF, 0xF0]) & 17 * (most + 1)])
        return bytes([0, 0, 0, rng.randint(1, 2), 4, len(entries) // 3, 0]) + entries


@pytest.mark.parametrize("config", [SHIFTS, WIDE_SHIFTS], ids=["small", "wide"])
@pytest.mark.parametrize("most", [0, 3])
def test_images_are_played_as_the_golden_device_plays_them(config, most, fresh_seed):
    assert converse(config, 30, fresh_seed, most, pause=most * 5, author=Player)


def test_what_is_played():
    """Under fixed seeds: how often images are shifted is chance under any other."""
    seen = set()
    for seed in range(10):
        author = Player(SHIFTS, random.Random(seed))
        for _ in range(30):
            frame = author.frame()
            answer, = FrameDecoder().feed(author.device.feed(frame.encode()))
            if frame.type == Type.PLAY and len(frame.payload) > 9 and frame.payload[4] == 4:
                seen.add((Status(answer.payload[0]).name, frame.payload[9]))
    assert len({offset for status, offset in seen if status == "OK"}) > 10
    assert len({offset for status, offset in seen if status == "RANGE"}) > 2
