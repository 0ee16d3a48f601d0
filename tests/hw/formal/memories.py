"""Properties of memories: a word read is the word written last."""

from amaranth import *

from tritgrad.hw.parts.pipeline import bank_delay, read_delay, words_delay

from .prover import Property, small


def _watched(p: Property, written: Value, address: Value, data: Value, watched: Value):
    """What the watched word is now; 0 before the first write."""
    word = Signal(len(data))
    with p.m.If(written & (address == watched)):
        p.m.d.sync += word.eq(data)
    return word


def block_ram(p: Property, module):
    """a word read is the one written last, unless it is written in that very cycle; it is held
    while not enabled
    """
    dut = p.unit(module.BlockRam(3, 6))
    p.drive(dut, "address", "enable", "write", "write_address", "write_data")
    p.assume(dut.address < 6, dut.write_address < 6)
    watched = p.constant(3, "watched")
    word = _watched(p, dut.write, dut.write_address, dut.write_data, watched)
    hits = dut.enable & (dut.address == watched)
    collides = dut.write & (dut.write_address == dut.address)
    p.check(~p.past(hits & ~collides) | (dut.word == p.past(word)),
            p.first() | p.past(dut.enable) | (dut.word == p.past(dut.word)))


def word_memory(p: Property, module):
    """with one port: a word read in a cycle without a write is the one written last"""
    dut = p.unit(module.WordMemory(3, 6, single_port=True))
    p.drive(dut, "address", "write", "write_address", "write_data")
    p.assume(dut.address < 6, dut.write_address < 6)
    watched = p.constant(3, "watched")
    word = _watched(p, dut.write, dut.write_address, dut.write_data, watched)
    p.check(~p.past(~dut.write & (dut.address == watched)) | (dut.word == p.past(word)))


def trit_store(p: Property, module, pipelined: bool):
    """the word of each bank, and the word of `bank`, as late as they say, are those written last
    """
    banks = 5 if pipelined else 3
    config = small(banks=banks, lanes=2, pipelined=pipelined, trit_depth=4)
    dut = p.unit(module.TritStore(config))
    p.drive(dut, "address", "bank", "write", "write_bank", "write_address", "write_data")
    p.assume(dut.bank < banks, dut.write_bank < banks)
    address, bank = p.constant(2, "watched"), p.constant(3, "watched_bank")
    p.assume(bank < banks)
    hits = dut.address == address
    for n in range(banks):
        # At the memory a write is as late as an address is.
        late, at = words_delay(config, n) + 1, bank_delay(config, n)
        word = _watched(p, p.past(dut.write & (dut.write_bank == n), at),
                        p.past(dut.write_address, at), p.past(dut.write_data, at), address)
        collides = p.past(dut.write & (dut.write_bank == n) & (dut.write_address == address), at)
        read = p.past(hits, at) & ~collides
        shown = Value.cast(dut.words)[4 * n:4 * n + 4]
        p.check(~p.past(read, late - at) | (shown == p.past(word, late - at)))
        late = 2 + read_delay(config)
        asked = p.past(hits & (dut.bank == n), at) & ~collides
        p.check(~p.past(asked, late - at) | (dut.word == p.past(word, late - at)))


def residual_store(p: Property, module, pipelined: bool):
    """a word read, as late as it says, is the one written last"""
    config = small(pipelined=pipelined, residual_depth=4, counter_bits=6, update_lanes=1)
    dut = p.unit(module.ResidualStore(config))
    p.drive(dut, "address", "write", "write_address", "write_data")
    watched = p.constant(2, "watched")
    late, wait = 1 + read_delay(config), max(0, read_delay(config) - 1)
    at = int(pipelined)
    word = _watched(p, p.past(dut.write, at), p.past(dut.write_address, at),
                    p.past(dut.write_data, at), watched)
    writes = p.past(dut.write & (dut.write_address == watched), at)
    read = p.past(dut.address == watched, wait) & ~writes
    p.check(~p.past(read, late - wait) | (dut.word == p.past(word, late - wait)))


def support_store(p: Property, module):
    """after visits in any order a word of SUPPORT has the bits that it had and those born"""
    config = small(support=True, max_inputs=8, max_neurons=8)
    words, m = config.max_words, p.m
    dut = p.unit(module.SupportStore(config))
    p.drive(dut, "clear", "visit", "visit_group", "visit_index", "alive", "address", "write",
            "write_address", "write_data")
    groups = config.support_depth
    watched = p.constant(dut.visit_group.shape(), "watched")
    p.assume(*(signal < groups for signal in (
        watched, dut.visit_group, dut.address, dut.write_address)))
    # PURGE and the link write while there are no visits; a program begins between.
    p.assume(~(dut.write | dut.clear) | ~dut.busy, ~dut.write | p.past(dut.write | dut.clear))
    m.d.comb += dut.enable.eq(1)
    word = Signal(words)
    with m.If(dut.visit & dut.alive & (dut.visit_group == watched)):
        m.d.sync += word.eq(word | (C(1, words) << dut.visit_index))
    with m.If(dut.write & (dut.write_address == watched)):
        m.d.sync += word.eq(dut.write_data)
    reads = ~dut.busy & ~dut.write & (dut.address == watched)
    p.assume(dut.visit_index < words)
    p.check(~p.past(reads) | (dut.word == p.past(word)))
