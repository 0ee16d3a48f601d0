// Drives a byte stream through a verilated top with ports i (in), o (out), clk and rst; or, with
// TRITGRAD_SERIAL, bytes through a UART at its pins rx and tx.
//
// Verilator writes the two underscores of a port such as i__valid as ___05F.
// A cycle: clk falls, which takes in the inputs, and all logic settles; handshakes are sampled; clk
// rises. So ready and valid are right also where they depend on the other side's in the same cycle.
// The core sees rst one rising edge late.
//
// With TRITGRAD_SDRAM, TRITGRAD_FLASH or TRITGRAD_HYPERS the top has the pins of that memory, and the
// model of one can be attached, which is stepped as time goes by: see sim/harness_top.py. Pins of a
// flash change with the clock's rise, those of the others with both edges.

#include <cstdint>
#include <memory>
#include <string>

#include "Vtop.h"
#include "verilated.h"
#if defined(TRACE_VCD)
#include "verilated_vcd_c.h"
using Trace = VerilatedVcdC;
#elif defined(TRACE_FST)
#include "verilated_fst_c.h"
using Trace = VerilatedFstC;
#endif
#if defined(TRITGRAD_SDRAM)
#include "memories/sdram.hpp"
using Memory = memories::Sdram;
#elif defined(TRITGRAD_FLASH)
#include "memories/flash.hpp"
using Memory = memories::Flash;
#elif defined(TRITGRAD_HYPERS)
#include "memories/hyper.hpp"
using Memory = memories::Hypers;
#endif
#if defined(TRITGRAD_SDRAM) || defined(TRITGRAD_FLASH) || defined(TRITGRAD_HYPERS)
#define TRITGRAD_MEMORY
#endif

namespace {

constexpr uint8_t kFlag = 0xA5;

struct Core {
    VerilatedContext context;
    std::unique_ptr<Vtop> top;
#if defined(TRACE_VCD) || defined(TRACE_FST)
    Trace trace;
#endif
    uint64_t cycles = 0;
    uint64_t time = 0;
#if defined(TRITGRAD_SERIAL)
    // The UART at the pins. Times are in cycles / 65536.
    uint32_t sending = 0;  // bits of a byte that have not ended, the present one lowest
    uint64_t bit_ends = 0;
    uint32_t received = 0;
    int bit = -1;          // of the byte that comes in, -1 for none, 10 until the line is high
    uint64_t sample = 0;
#else
    uint64_t random = 1;
    uint32_t gap = 0;      // chance in 256 that the source offers nothing in a cycle
    uint32_t stall = 0;    // chance in 256 that the sink takes nothing in a cycle
    bool offering = false; // a byte was offered and must stay
#endif
    uint8_t last = kFlag;  // the last byte that came out
#if defined(TRITGRAD_MEMORY)
    Memory* memory = nullptr;
    uint64_t period = 0;   // of the clock, in picoseconds
    uint64_t edges = 0;    // rises of the clock since the memory was attached
    bool broken = false;   // a rule of the memory's

    // Steps the memory to a time between the clock's last rise and its next one; returns what its
    // data pins show then, and in the highest bit whether a rule has been broken.
    uint32_t step(uint64_t now) {
#if defined(TRITGRAD_SDRAM)
        // At time 0 a clock that is the top's inverted is high already, or low: it is to rise later.
        const uint32_t control = top->memory_control & ~(now ? 0 : Memory::kClock);
        const uint32_t seen = memory->step(now, control, top->memory_address, top->memory_out);
#elif defined(TRITGRAD_HYPERS)
        const uint32_t seen = memory->step(now, top->memory_control, top->memory_out);
#else
        const uint32_t seen = memory->step(now, top->memory_control);
#endif
        broken |= seen >> 31;
        return seen;
    }

    // Shows the top what the pins have shortly before an edge of the clock.
    void show(bool falls) {
        if (!memory) return;
        const uint64_t now = edges * period;
#if defined(TRITGRAD_FLASH)
        if (falls) top->memory_in = step(now + period - 1) & 15;
#else
        top->memory_in = step(now + (falls ? period / 2 : period) - 1) & Memory::kIn;
#endif
    }

    // Takes the pins as they are behind an edge of the clock.
    void take(bool fell) {
        if (!memory) return;
#if defined(TRITGRAD_FLASH)
        if (fell) return;
#endif
        step(edges * period + (fell ? period / 2 : 0));
    }
#else
    static constexpr bool broken = false;
#endif

#if !defined(TRITGRAD_SERIAL)
    // Seeds that differ in a bit must not give like streams, and 0 must give one at all.
    void seed(uint64_t value) {
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
        value = (value ^ value >> 27) * 0x94D049BB133111EB;
        random = value ^ value >> 31 ? value ^ value >> 31 : 1;
    }

    uint32_t draw() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        return random >> 56;
    }
#endif

    void dump() {
#if defined(TRACE_VCD) || defined(TRACE_FST)
        if (trace.isOpen()) trace.dump(time);
        time += 5;
#endif
    }

    void settle() {
#if defined(TRITGRAD_MEMORY)
        show(true);
#endif
        top->clk = 0;
        top->eval();
        dump();
#if defined(TRITGRAD_MEMORY)
        take(true);
#endif
    }

    void rise() {
#if defined(TRITGRAD_MEMORY)
        show(false);
#endif
        top->clk = 1;
        top->eval();
        dump();
#if defined(TRITGRAD_MEMORY)
        ++edges;
        take(false);
#endif
    }
};

}  // namespace

extern "C" {

// With a seed other than 0, memories that nothing initialises hold random words. With a fault other
// than 0, a netlist has that one of its faults.
Core* tritgrad_create(const char* trace_path, uint32_t power_up, uint32_t fault) {
    auto* core = new Core;
    const std::string planted = "+fault=" + std::to_string(fault);
    const char* arguments[] = {"tritgrad", planted.c_str(), "+power_up"};
    core->context.commandArgs(power_up ? 3 : 2, arguments);
    core->context.randSeed(static_cast<int>(power_up & 0x7FFFFFFF));
#if defined(TRACE_VCD) || defined(TRACE_FST)
    core->context.traceEverOn(true);
#endif
    core->top = std::make_unique<Vtop>(&core->context);
#if defined(TRACE_VCD) || defined(TRACE_FST)
    if (trace_path) {
        core->top->trace(&core->trace, 99);
        core->trace.open(trace_path);
        if (!core->trace.isOpen()) {
            delete core;
            return nullptr;
        }
    }
#else
    (void)trace_path;
#endif
    return core;
}

#if defined(TRITGRAD_MEMORY)

// The model of the memory that is at the pins from now on, at time 0 of its own, and the clock's
// period in picoseconds.
void tritgrad_attach(Core* core, Memory* memory, uint64_t period) {
    core->memory = memory;
    core->period = period;
    core->edges = 0;
    core->broken = false;
    core->top->eval();  // pins as registers begin
    core->take(false);
}

#endif

void tritgrad_destroy(Core* core) {
#if defined(TRACE_VCD) || defined(TRACE_FST)
    if (core->trace.isOpen()) core->trace.close();
#endif
    core->top->final();
    delete core;
}

#if defined(TRITGRAD_SERIAL)

// Runs until max_cycles have passed, `capacity` bytes have come out, or, with stop_at_frame, a frame
// has ended. A bit lasts `period` / 65536 cycles. A byte counts as consumed when its first bit is on
// the line; as produced in the middle of its stop bit, whatever that is. Returns the cycles run.
uint64_t tritgrad_serial(Core* core, const uint8_t* in, uint64_t length, uint64_t* consumed,
                         uint8_t* out, uint64_t capacity, uint64_t* produced, uint64_t max_cycles,
                         int stop_at_frame, uint64_t period) {
    Vtop* top = core->top.get();
    uint64_t taken = 0, given = 0, cycle = 0;
    bool ended = false;
    while (cycle < max_cycles && given < capacity && !ended && !core->broken) {
        const uint64_t now = (core->cycles + cycle) << 16;
        if (now >= core->bit_ends) {
            core->sending >>= 1;
            if (core->sending == 1) core->sending = 0;
            if (core->sending == 0 && taken < length) {
                // A one behind the stop bit marks the end. Bytes follow without a gap.
                core->sending = 0x600 | in[taken++] << 1;
                if (core->bit_ends + 65536 <= now) core->bit_ends = now;
            }
            if (core->sending != 0) core->bit_ends += period;
        }
        top->rx = core->sending == 0 || (core->sending & 1);
        core->settle();
        const bool line = top->tx;
        if (core->bit < 0) {
            if (!line) {
                core->bit = 0;
                core->received = 0;
                core->sample = now + period / 2;
            }
        } else if (core->bit == 10) {
            if (line) core->bit = -1;
        } else if (now + 65535 >= core->sample) {  // within this cycle
            core->sample += period;
            if (core->bit > 0 && core->bit < 9) core->received |= line << (core->bit - 1);
            ++core->bit;
            if (core->bit == 1 && line) core->bit = -1;
            if (core->bit == 10) {
                const uint8_t byte = core->received;
                out[given++] = byte;
                ended = stop_at_frame && byte == kFlag && core->last != kFlag;
                core->last = byte;
                if (line) core->bit = -1;
            }
        }
        core->rise();
        ++cycle;
    }
    core->cycles += cycle;
    *consumed = taken;
    *produced = given;
    return cycle;
}

#else

// Two cycles of reset, and the one it comes late; the cycle counter restarts.
void tritgrad_reset(Core* core) {
    core->top->i___05Fvalid = 0;
    core->top->o___05Fready = 0;
    for (int n = 0; n < 3; ++n) {
        core->top->rst = n < 2;
        core->settle();
        core->rise();
    }
    core->cycles = 0;
    core->offering = false;
    core->last = kFlag;
}

void tritgrad_stall(Core* core, uint64_t seed, uint32_t gap, uint32_t stall) {
    core->seed(seed);
    core->gap = gap;
    core->stall = stall;
}

// Runs until max_cycles have passed, `capacity` bytes have come out, or, with stop_at_frame, a frame
// has ended (a flag that follows another byte). Returns the cycles run.
uint64_t tritgrad_run(Core* core, const uint8_t* in, uint64_t length, uint64_t* consumed,
                      uint8_t* out, uint64_t capacity, uint64_t* produced, uint64_t max_cycles,
                      int stop_at_frame) {
    Vtop* top = core->top.get();
    uint64_t taken = 0, given = 0, cycle = 0;
    bool ended = false;
    while (cycle < max_cycles && given < capacity && !ended && !core->broken) {
        const bool offer = taken < length && (core->offering || core->gap == 0
                                              || core->draw() >= core->gap);
        top->i___05Fvalid = offer;
        if (offer) top->i___05Fpayload = in[taken];
        top->o___05Fready = core->stall == 0 || core->draw() >= core->stall;
        core->settle();
        const bool take = offer && top->i___05Fready;
        core->offering = offer && !take;
        taken += take;
        if (top->o___05Fvalid && top->o___05Fready) {
            const uint8_t byte = top->o___05Fpayload;
            out[given++] = byte;
            ended = stop_at_frame && byte == kFlag && core->last != kFlag;
            core->last = byte;
        }
        core->rise();
        ++cycle;
    }
    core->cycles += cycle;
    *consumed = taken;
    *produced = given;
    return cycle;
}

#endif

uint64_t tritgrad_cycles(const Core* core) { return core->cycles; }

}  // extern "C"
