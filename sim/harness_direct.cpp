// The harness of a board whose bytes pass by its UART too; see sim/direct.py.

#include "harness.cpp"

extern "C" {

// Runs until max_cycles have passed, `capacity` bytes have come out, or, with stop_at_frame, a frame
// has ended; the line is idle, and no byte goes there. At most a byte a cycle each way. Returns the
// cycles run.
uint64_t tritgrad_direct(Core* core, const uint8_t* in, uint64_t length, uint64_t* consumed,
                         uint8_t* out, uint64_t capacity, uint64_t* produced, uint64_t max_cycles,
                         int stop_at_frame) {
    Vtop* top = core->top.get();
    uint64_t taken = 0, given = 0, cycle = 0;
    bool ended = false;
    top->rx = 1;
    top->direct = 1;
    while (cycle < max_cycles && given < capacity && !ended && !core->broken) {
        top->direct_valid = taken < length;
        if (taken < length) top->direct_in = in[taken];
        core->settle();
        taken += top->direct_valid && top->direct_ready;
        if (top->direct_given) {
            const uint8_t byte = top->direct_out;
            out[given++] = byte;
            ended = stop_at_frame && byte == kFlag && core->last != kFlag;
            core->last = byte;
        }
        core->rise();
        ++cycle;
    }
    // From the clock's next fall on; so a byte that waits now stays for the next time.
    top->direct_valid = 0;
    top->direct = 0;
    core->cycles += cycle;
    *consumed = taken;
    *produced = given;
    return cycle;
}

}  // extern "C"
