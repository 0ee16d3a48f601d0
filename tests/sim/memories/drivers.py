"""Drive the pins of the models of memories by hand, and wrong where a test wants it."""

from tritgrad.sim.memories import Sdram, SerialFlash

NS, US = 1_000, 1_000_000


class SdramDriver:
    """Commands at an SDRAM's pins; they change half a period before the part's clock rises."""

    CODES = {"NOP": 7, "ACT": 3, "READ": 5, "WRITE": 4, "PRE": 2, "REF": 1, "MODE": 0, "STOP": 6}

    def __init__(self, model: Sdram, period: int = 16 * NS):
        self.model, self.period = model, period
        self.now = 0
        self.cke = 1

    def clock(self, code="NOP", bank=0, a=0, dq=None, mask=0, *, change=0):
        """One period; what is read at its end. `change`: pins change so much later."""
        bits = self.CODES[code]
        control = (self.model.CKE * self.cke | (bits >> 2 & 1) * self.model.RAS_N
                   | (bits >> 1 & 1) * self.model.CAS_N | (bits & 1) * self.model.WE_N
                   | mask << self.model.MASK_AT | (self.model.OUTPUT if dq is not None else 0))
        address, half = bank << 13 | a, self.period // 2
        self.model.step(self.now + change, control, address, dq or 0)
        self.model.step(self.now + half, control | self.model.CLOCK, address, dq or 0)
        self.now += self.period
        return self.model.step(self.now, control, address, dq or 0)

    def idle(self, clocks):
        for _ in range(clocks):
            read = self.clock()
        return read

    def start(self, latency=2, refreshes=8):
        self.clock()
        self.now += 200 * US
        self.idle(1)
        self.clock("PRE", a=0x400)
        self.idle(2)
        for _ in range(refreshes):
            self.clock("REF")
            self.idle(5)
        self.clock("MODE", a=latency << 4)
        self.idle(2)

    def write(self, bank, row, words, column=0):
        self.clock("ACT", bank, row)
        self.idle(1)
        for n, word in enumerate(words):
            self.clock("WRITE", bank, column + n, word)
        self.idle(1)
        self.clock("PRE", bank)
        self.idle(2)

    def read(self, bank, row, count, column=0, latency=2):
        self.clock("ACT", bank, row)
        self.idle(1)
        seen = [self.clock("READ", bank, column + n) if n < count else self.clock()
                for n in range(count + latency - 1)]
        self.idle(1)
        self.clock("PRE", bank)
        self.idle(2)
        return seen[latency - 1:]


class FlashDriver:
    """Bytes at a flash's pins, in mode 0."""

    #: What the FPGA drives while so many lines carry data to it.
    DRIVES = {1: 0b1101, 2: 0b1100, 4: 0}

    def __init__(self, model: SerialFlash, period: int = 40 * NS):
        self.model, self.period = model, period
        self.now = 1 * US

    def bit(self, data=15, drive=0b1101, *, setup=None):
        """A period; what is read where the clock falls. `setup`: data change so shortly before."""
        half = self.period // 2
        if setup is not None:
            self.model.step(self.now, 0, 0, data ^ 1, drive)
        self.model.step(self.now + (0 if setup is None else half - setup), 0, 0, data, drive)
        self.model.step(self.now + half, 0, 1, data, drive)
        self.now += self.period
        seen = self.model.step(self.now - 1, 0, 1, data, drive)
        self.model.step(self.now, 0, 0, data, drive)
        return seen

    def select(self):
        self.now += 100 * NS
        self.model.step(self.now, 0, 0, 15, 0b1101)
        self.now += self.period // 2

    def deselect(self, drive=0b1101):
        self.now += self.period // 2
        self.model.step(self.now, 1, 0, 15, drive)

    def send(self, data, bits=8):
        for byte in data:
            for n in range(7, 7 - bits, -1):
                self.bit(0b1110 | byte >> n & 1)

    def receive(self, count, lines=1):
        out = bytearray()
        for _ in range(count):
            byte = 0
            for _ in range(8 // lines):
                seen = self.bit(15, self.DRIVES[lines])
                byte = byte << lines | (seen >> 1 & 1 if lines == 1 else seen & (1 << lines) - 1)
            out.append(byte)
        return bytes(out)

    def command(self, data, count=0, lines=1, dummy=0):
        self.select()
        self.send(data)
        for _ in range(dummy):
            self.bit(drive=self.DRIVES[lines])
        out = self.receive(count, lines)
        self.deselect(self.DRIVES[lines])  # the flash lets go a little later
        return out

    def wait(self, most=1 << 20):
        """Until it has written; time passes fast."""
        while self.command(b"\x05", 1)[0] & 1:
            self.now += 500 * US

    def write(self, *commands):
        """Each with a 0x06 before it, and time to write."""
        for command in commands:
            self.command(b"\x06")
            self.command(command)
            self.wait()
