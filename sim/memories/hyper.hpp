// HyperBus PSRAM of 8 bits at its pins, a single-ended clock: linear bursts, byte masks, the
// configuration register CR0, latency that is fixed or doubled where a refresh is under way.
//
// Not modelled, and so a reason to stop: wrapped bursts, other registers, deep power-down, a clock
// that stops within a transaction.

#pragma once

#include <algorithm>
#include <vector>

#include "pins.hpp"

namespace memories {

struct HyperPart {
    uint64_t bytes;
    uint64_t period, half;                // shortest, of the clock and of its levels
    uint64_t setup, hold;                 // of what the FPGA drives, around each edge
    uint64_t select_setup;                // of chip select before the clock's first rise
    uint64_t deselect, recover;           // that it stays high; from then to the third rise
    uint64_t access;                      // from the third rise to the first byte of data
    uint64_t select_most;                 // that chip select is low: refreshing waits for it
    uint64_t output, output_hold;         // from an edge to its byte, and that the last one stays
    uint64_t release;                     // from deselection to when no pin is driven
    uint64_t power_up;
    uint64_t cr0;                         // after power-up
    uint64_t collides;                    // chance in 256 that a refresh is under way
    uint64_t trip;                        // from the FPGA's pins to the part's and back
};

class Hyper : public Pins {
  public:
    static constexpr uint32_t kSelectN = 1, kClock = 2, kDriveData = 4, kDriveStrobe = 8,
                              kStrobe = 16;

    Hyper(const HyperPart& part, uint64_t seed)
        : Pins(seed), part_(part), cells_(part.bytes), cr0_(part.cr0) {
        for (auto& cell : cells_) cell = uint8_t(noise());
    }
    Hyper(const Hyper&) = delete;

    uint8_t* cells() { return cells_.data(); }
    uint64_t size() const { return part_.bytes; }

    // Takes the pins as they are from `now` on. Gives the eight data pins and, as bit 8, RWDS, as
    // the FPGA sees them now.
    uint32_t step(Time now, uint32_t control, uint32_t dq) {
        const uint32_t changed = control ^ control_;
        const uint32_t lines = kDriveData | kDriveStrobe | kStrobe;
        if ((changed & lines) || dq != dq_) {
            if (!(control_ & kSelectN) && taking_)
                apart(now, edge_, part_.hold, "data change", "their hold time");
            changed_ = now;
        }
        control_ = control, dq_ = dq;
        if (changed & kSelectN) {
            if (selected()) select(now);
            else deselect(now);
        } else if (selected()) {
            if (now - selected_ > part_.select_most)
                stop(now, "chip select is low for longer than %.1f us", part_.select_most * 1e-6);
            if (changed & kClock) edge(now);
        }
        contention(now);
        return seen(now);
    }

  private:
    bool selected() const { return !(control_ & kSelectN); }
    bool reads() const { return command_[0] & 0x80; }
    bool registers() const { return command_[0] & 0x40; }

    void contention(Time now) {
        if (!selected()) return;
        if (edges_ < 6 && (control_ & kDriveStrobe))
            stop(now, "the FPGA drives RWDS within the command");
        if (edges_ >= 6 && reads() && (control_ & kDriveStrobe))
            stop(now, "the FPGA drives RWDS of a reading");
        if (driving_ && (control_ & kDriveData))
            stop(now, "the FPGA drives data pins that the memory drives");
    }

    void select(Time now) {
        if (now < part_.power_up)
            stop(now, "selected within %.0f us of power-up", part_.power_up * 1e-6);
        if (control_ & kClock) stop(now, "selected while the clock is high");
        apart(now, deselected_, part_.deselect, "selected again", "the least time between");
        selected_ = now, edge_ = kNever, rise_ = kNever, edges_ = 0;
        driving_ = false, taking_ = true;
        doubled_ = (cr0_ & 8) || (noise() & 255) < part_.collides;
    }

    // Clocks from the first one to that of the first byte.
    uint64_t latency() const {
        const uint64_t code = cr0_ >> 4 & 15;
        const uint64_t clocks = code < 3 ? 5 + code : code == 14 ? 3 : 4;
        return 2 + clocks * (doubled_ ? 2 : 1);
    }

    void edge(Time now) {
        const bool rise = control_ & kClock;
        if (edges_ == 0) apart(now, selected_, part_.select_setup, "first clock", "its setup time");
        apart(now, edge_, part_.half, "next edge", "the shortest half");
        if (rise) apart(now, rise_, part_.period, "next clock", "the shortest period");
        edge_ = now;
        if (rise) rise_ = now;
        const uint64_t number = edges_++;
        if (number < 6) return command(now, number);
        const bool direct = registers() && !reads();
        const uint64_t first = direct ? 6 : 2 * latency();
        if (number < first) return;
        if (number == first && !direct) apart(now, third_, part_.access, "data", "the access time");
        if (reads()) return give(number - first);
        take(now, number - first, direct);
    }

    void command(Time now, uint64_t number) {
        take_pins(now);
        command_[number] = uint8_t(dq_);
        if (number == 4) {
            third_ = now;
            apart(now, deselected_, part_.recover, "third clock", "the time to recover");
        }
        if (number != 5) return;
        taking_ = !reads();
        const uint64_t bits = uint64_t(command_[0]) << 40 | uint64_t(command_[1]) << 32
            | uint64_t(command_[2]) << 24 | command_[3] << 16 | command_[4] << 8 | command_[5];
        at_ = 2 * ((bits >> 16 & 0x1FFFFFFF) << 3 | (bits & 7));
        if (bits >> 3 & 0x1FFF) stop(now, "reserved bits of the command are not 0");
        if (registers()) {
            if (at_ != 0x1000) stop(now, "a register that is not modelled");
        } else if (!(bits >> 45 & 1)) {
            stop(now, "a wrapped burst, which is not modelled");
        } else if (at_ >= part_.bytes) {
            stop(now, "address 0x%x, there are 0x%x bytes", unsigned(at_), unsigned(part_.bytes));
        }
    }

    void take_pins(Time now) {
        if (!(control_ & kDriveData)) stop(now, "nobody drives its data pins");
        apart(now, changed_, part_.setup, "clock comes after the data", "their setup time");
    }

    void take(Time now, uint64_t number, bool direct) {
        take_pins(now);
        if (direct) {
            word_ = word_ << 8 | dq_;
            if (number == 1) configure(now, word_ & 0xFFFF);
            if (number > 1) stop(now, "a byte too many for a register");
            return;
        }
        if (!(control_ & kDriveStrobe)) return stop(now, "nobody drives RWDS, the mask");
        if (!(control_ & kStrobe)) cells_[(at_ + number) % part_.bytes] = uint8_t(dq_);
    }

    void configure(Time now, uint32_t value) {
        const uint32_t code = value >> 4 & 15;
        if (!(value >> 15)) return stop(now, "deep power-down, which is not modelled");
        if ((value >> 8 & 15) != 15) return stop(now, "reserved bits of CR0 are not 1");
        if (code > 2 && code < 14) return stop(now, "no latency has the code %u", code);
        cr0_ = value;
    }

    void give(uint64_t number) {
        old_ = data_, old_known_ = driving_;
        data_ = registers() ? cr0_ >> (number & 1 ? 0 : 8) & 0xFF
                            : cells_[(at_ + number) % part_.bytes];
        data_ |= number & 1 ? 0 : 0x100;
        driving_ = true;
    }

    void deselect(Time now) {
        if (control_ & kClock) stop(now, "deselected while the clock is high");
        if (edges_ % 2 || (edges_ > 0 && edges_ < 6)) stop(now, "deselected within a word");
        deselected_ = now;
        taking_ = false;
    }

    uint32_t seen(Time now) {
        const uint32_t flag = broken()[0] ? 1u << 31 : 0;
        uint32_t theirs = uint32_t(noise()) & 0x1FF;
        const bool there = selected() || (deselected_ != kNever
                                          && now < deselected_ + part_.release);
        if (broken()[0] || !there) return theirs | flag;
        if (driving_) {
            if (now >= edge_ + part_.output + part_.trip) theirs = data_;
            else if (now <= edge_ + part_.output_hold + part_.trip && old_known_) theirs = old_;
            return theirs;
        }
        if (control_ & kDriveData) theirs = (theirs & 0x100) | dq_;
        if (selected() && edges_ < 6 && now >= selected_ + part_.output + part_.trip)
            theirs = (theirs & 0xFF) | (doubled_ ? 0x100 : 0);
        if (selected() && edges_ >= 6 && reads()) theirs &= 0xFF;
        return theirs;
    }

    const HyperPart part_;
    std::vector<uint8_t> cells_;
    uint64_t cr0_;
    uint8_t command_[6] = {};
    uint32_t control_ = kSelectN, dq_ = 0, data_ = 0, old_ = 0, word_ = 0;
    uint64_t edges_ = 0, at_ = 0;
    bool driving_ = false, taking_ = false, old_known_ = false, doubled_ = false;
    Time changed_ = kNever, edge_ = kNever, rise_ = kNever, third_ = kNever, selected_ = kNever,
         deselected_ = kNever;
};

// Two parts with their pins side by side, but for the data pins the same.
class Hypers {
  public:
    static constexpr uint32_t kIn = 0xFFFF;  // of what `step` gives, the data pins

    Hypers(const HyperPart& part, uint64_t seed) : low_(part, seed), high_(part, ~seed) {}

    uint32_t step(Time now, uint32_t control, uint32_t dq) {
        const uint32_t low = low_.step(now, control, dq & 0xFF);
        const uint32_t high = high_.step(now, control, dq >> 8 & 0xFF);
        return (low & 0xFF) | (high & 0xFF) << 8 | ((low | high) & 1u << 31);
    }

    const char* broken() const { return low_.broken()[0] ? low_.broken() : high_.broken(); }
    uint8_t* cells(int which) { return (which ? high_ : low_).cells(); }

  private:
    Hyper low_, high_;
};

}  // namespace memories
