"""A host written from docs/link.md alone: it loads a network, trains it, and asks it.

Nothing of tritgrad is imported here. `write` sends bytes to a device, `read` returns what has come.
"""

import struct
import zlib


class Client:
    def __init__(self, write, read, nonce):
        self.write, self.read, self.nonce = write, read, nonce
        self.buffer, self.results, self.sequence = b"", [], 1
        hello = self.request(0x01, struct.pack("<I", nonce))
        if hello[:5] != b"TRIT\x05":
            raise RuntimeError("no core of protocol 5")
        (self.slots, self.slot, self.L, self.R, self.U, self.b, self.a,
         ) = struct.unpack("<BHHHHBB", hello[5:16])

    def request(self, kind, payload=b""):
        body = struct.pack("<BBH", kind, self.sequence, len(payload)) + payload
        body += struct.pack("<I", zlib.crc32(body))
        body = body.replace(b"\x5b", b"\x5b\x7b").replace(b"\xa5", b"\x5b\x85")
        self.write(b"\xa5" + body + b"\xa5")
        while True:
            got, number, payload = self.frame()
            if got == 0xC0:
                self.results.append(payload)
            elif got == kind | 0x80 and number == self.sequence:
                status, self.sequence, nonce = struct.unpack("<BBI", payload[:6])
                if status or nonce != self.nonce:
                    raise RuntimeError(f"refused: status {status}, nonce {nonce}")
                return payload[6:]
            elif got == 0xFF:
                raise RuntimeError(f"unreadable: status {payload[0]}")

    def frame(self):
        while True:
            self.buffer += self.read()
            piece, flag, rest = self.buffer.partition(b"\xa5")
            if flag:
                self.buffer = rest
                if piece:
                    out, escaped = bytearray(), False
                    for byte in piece:
                        if byte == 0x5B:
                            escaped = True
                        else:
                            out.append(byte ^ 0x20 if escaped else byte)
                            escaped = False
                    body, (check,) = bytes(out[:-4]), struct.unpack("<I", out[-4:])
                    if zlib.crc32(body) == check:
                        return body[0], body[1], body[4:]

    def load(self, layers, counters, state):
        """Layers are (inputs, outputs, planes, shift, gain), counters[l][j][i]."""
        self.layers = layers
        self.request(0x03, b"".join(struct.pack("<HHBBbB", *layer, 0) for layer in layers))
        trits, rest = {}, {}
        for where, lane, value in self.places(counters):
            trits[where[:2]] = trits.get(where[:2], 0) | (value >> self.b - 2 & 3) << 2 * lane[0]
            low = value & (1 << self.b - 2) - 1
            rest[where[2]] = rest.get(where[2], 0) | low << (self.b - 2) * lane[1]
        for (bank, address), word in trits.items():
            self.request(0x04, struct.pack("<BBHH", 0, bank, address, 1)
                         + word.to_bytes(-(-2 * self.L // 8), "little"))
        for address, word in rest.items():
            self.request(0x04, struct.pack("<BBHH", 1, 0, address, 1)
                         + word.to_bytes(-(-self.U * (self.b - 2) // 8), "little"))
        self.request(0x06, struct.pack("<Q", state))

    def places(self, counters):
        """Each counter: (bank, address of T, address of R), its lanes there, its value."""
        trit = residual = 0
        for (inputs, outputs, *_), rows in zip(self.layers, counters, strict=True):
            words, steps = -(-inputs // self.L), self.L // self.U
            for j in range(outputs):
                for i in range(inputs):
                    word, lane = divmod(i, self.L)
                    yield ((j % self.R, trit + j // self.R * words + word,
                            residual + (j * words + word) * steps + lane // self.U),
                           (lane, lane % self.U), rows[j][i])
            trit += words * -(-outputs // self.R)
            residual += words * steps * outputs

    def run(self, program, x, labels):
        self.results = []
        self.request(0x02, struct.pack(f"<{len(program)}I", *program))
        self.request(0x08)
        planes = self.layers[0][2]
        for sample, label in zip(x, labels, strict=True):
            packed = bytes(sum((value >> p & 1) << n for n, value in enumerate(sample[g:g + 8]))
                           for g in range(0, len(sample), 8) for p in range(planes))
            self.request(0x09, bytes([0, 1, label]) + packed)
        while True:
            status = struct.unpack("<BBIIIQQQQQ", self.request(0x0A, b"\x01"))
            if status[0] != 1:
                return status

    def counters(self):
        """Read the network back, word by word."""
        found = [[[0] * inputs for _ in range(outputs)] for inputs, outputs, *_ in self.layers]
        values = []
        for (bank, address, low), lane, _ in self.places(found):
            trit = int.from_bytes(self.request(0x05, struct.pack("<BBHH", 0, bank, address, 1)),
                                  "little") >> 2 * lane[0] & 3
            rest = int.from_bytes(self.request(0x05, struct.pack("<BBHH", 1, 0, low, 1)),
                                  "little") >> (self.b - 2) * lane[1] & (1 << self.b - 2) - 1
            value = trit << self.b - 2 | rest
            values.append(value - (1 << self.b if value >> self.b - 1 else 0))
        return values


def train_program(samples, margin):
    """Of two layers, as docs/link.md lists it."""
    return [0x01000000 | samples, 0x03000000, 0x04000001, 0x04000002, 0x05000000 | margin,
            0x06000009, 0x07000002, 0x08000001, 0x08000002, 0x02000001, 0x00000000]


def infer_program(samples):
    return [0x01000000 | samples, 0x03000000, 0x04000001, 0x04000002, 0x09000000, 0x02000001, 0]
