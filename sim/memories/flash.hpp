// Serial NOR flash with 24-bit addresses, at its pins: modes 0 and 3, one data line, two for what
// 0x3B reads and four for what 0x6B does.
//
// Not modelled, and so a reason to stop: other commands, suspending, block protection by the status
// register. Stricter than a data sheet: what a part would ignore stops the run.

#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "pins.hpp"

namespace memories {

struct FlashPart {
    uint64_t bytes, id;                    // id: manufacturer in the low byte
    uint64_t period_read, period;          // shortest, of 0x03 and of all other commands
    uint64_t half;                         // shortest time that the clock is high, or low
    uint64_t setup, hold;                  // of inputs
    uint64_t select_setup, select_hold;    // of chip select before and behind the clock's rise
    uint64_t deselect_read, deselect;      // that chip select stays high
    uint64_t output, output_hold;          // from the clock's fall to data, and that they stay
    uint64_t release;                      // from deselection to when no pin is driven
    uint64_t program, status, sector, half_block, block, chip;  // that these take
    uint64_t wake, reset;
    uint64_t trip;                         // from the FPGA's pins to the part's and back
};

class Flash : public Pins {
  public:
    static constexpr uint32_t kSelectN = 1, kClock = 2;
    static constexpr int kDataAt = 2, kDriveAt = 6;
    static constexpr uint64_t kPage = 256;

    // Without a path the contents are lost; a new file, like no file, begins as noise. `guard`: bytes
    // at the start that nothing may erase or program. `asleep`: in deep power-down, as an iCE40 that
    // has configured itself leaves its flash. `repeats`: a write without its enable, and an enable or
    // a write while it writes, are ignored, as data sheets say: behind a line that loses answers, they
    // come twice.
    Flash(const FlashPart& part, uint64_t seed, const char* path, uint64_t guard, bool asleep,
          bool repeats)
        : Pins(seed), part_(part), guard_(guard), repeats_(repeats), asleep_(asleep) {
        int file = -1;
        bool fresh = true;
        if (path) {
            file = open(path, O_RDWR | O_CREAT, 0666);
            const off_t size = file < 0 ? -1 : lseek(file, 0, SEEK_END);
            fresh = size == 0;
            if (size < 0 || (size != 0 && uint64_t(size) != part.bytes)
                || ftruncate(file, off_t(part.bytes)) != 0) {
                if (file >= 0) close(file);
                return;
            }
        }
        void* at = mmap(nullptr, part.bytes, PROT_READ | PROT_WRITE,
                        path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, file, 0);
        if (file >= 0) close(file);
        if (at == MAP_FAILED) return;
        cells_ = static_cast<uint8_t*>(at);
        if (fresh) scramble(0, part.bytes);
    }

    ~Flash() {
        if (cells_) munmap(cells_, part_.bytes);
    }

    Flash(const Flash&) = delete;

    bool usable() const { return cells_ != nullptr; }
    uint8_t* cells() { return cells_; }
    uint64_t size() const { return part_.bytes; }
    uint64_t erases() const { return erases_; }
    uint64_t programs() const { return programs_; }

    // What was being written is half written. The time of the next step may begin anew.
    void power_cycle(bool asleep) {
        if (busy_until_ != 0 && stepped_ < busy_until_) scramble(busy_at_, busy_bytes_);
        busy_until_ = 0, stepped_ = 0;
        writable_ = reset_armed_ = false;
        asleep_ = asleep;
        control_ = kSelectN | 0xF << kDataAt;
        changed_ = rise_ = fall_ = deselected_ = selected_ = kNever;
        ready_at_ = 0;
        phase_ = Phase::kIdle;
        driving_ = 0;
    }

    // Takes the pins as they are from `now` on: chip select, clock, four data pins and which of them
    // the FPGA drives; what nobody drives is high. Gives the data pins as the FPGA sees them now.
    uint32_t step(Time now, uint32_t control) {
        const uint32_t drive = control >> kDriveAt & 15;
        control |= (~drive & 15) << kDataAt;
        contention(now);
        const uint32_t changed = control ^ control_;
        const bool rise = (changed & kClock) && (control & kClock);
        const bool fall = (changed & kClock) && !(control & kClock);
        control_ = control, stepped_ = now;
        if (changed == 0) return seen(now);
        if ((changed >> kDataAt & 15) && selected()) {
            if (taking_) apart(now, rise_, part_.hold, "data change", "their hold time");
            changed_ = now;
        }
        if (changed & kSelectN) {
            if (selected()) select(now, control & kClock);
            else deselect(now);
        } else if (selected()) {
            if (!(control >> kDataAt & 8) && !(status_[1] & 2)) stop(now, "HOLD# is low");
            if (rise) clock(now);
            if (fall) output(now);
        }
        return seen(now);
    }

  private:
    bool selected() const { return !(control_ & kSelectN); }

    enum class Phase { kIdle, kCommand, kAddress, kDummy, kIn, kOut, kDone, kIgnored };

    void contention(Time now) {
        const uint32_t drive = control_ >> kDriveAt & 15;
        const bool going = selected() || stepped_ < deselected_ + part_.release;
        if (going && (drive & driving_) && now > driven_from_)
            stop(now, "the FPGA drives data pins that the flash drives");
    }

    void select(Time now, bool high) {
        apart(now, deselected_, writes_ ? part_.deselect : part_.deselect_read,
              "selected again", "the least time between");
        if (now < ready_at_)
            stop(now, "selected %.1f ns before it has woken up", (ready_at_ - now) * 1e-3);
        selected_ = now, rise_ = kNever, fall_ = high ? kNever : now;
        phase_ = Phase::kCommand;
        shift_ = bits_ = 0, got_ = 0, filled_ = 0, driving_ = 0;
        taking_ = true, lines_ = 1, writes_ = false;
        limit_ = part_.period;
    }

    void clock(Time now) {
        if (rise_ == kNever) {
            apart(now, selected_, part_.select_setup, "first clock", "chip select's setup time");
            first_ = now;
        }
        apart(now, rise_, limit_, "next clock", "the shortest period");
        apart(now, fall_, part_.half, "clock low", "the shortest half");
        const uint32_t data = control_ >> kDataAt & 15;
        rise_ = now;
        if (phase_ == Phase::kDummy) {
            taking_ = false;
            if (--left_ == 0) phase_ = Phase::kOut, bits_ = 0, fetch(now);
            return;
        }
        taking_ = phase_ != Phase::kOut;
        if (!taking_) return;
        if (!(control_ >> kDriveAt & 1)) stop(now, "nobody drives its input");
        apart(now, changed_, part_.setup, "clock comes after the data", "their setup time");
        shift_ = shift_ << 1 | (data & 1);
        if (++bits_ % 8 == 0) byte(now, shift_ & 0xFF);
    }

    void byte(Time now, uint8_t value) {
        switch (phase_) {
        case Phase::kCommand: return command(now, value);
        case Phase::kAddress:
            address_ = address_ << 8 | value;
            if (++got_ < 3) return;
            if (address_ >= part_.bytes)
                stop(now, "address 0x%06x, there are 0x%06x bytes", unsigned(address_),
                     unsigned(part_.bytes));
            address_ %= part_.bytes;
            phase_ = command_ == 0x02 ? Phase::kIn : command_ == 0x03 ? Phase::kOut : Phase::kDummy;
            if (command_ == 0x20 || command_ == 0x52 || command_ == 0xD8) phase_ = Phase::kDone;
            left_ = 8, bits_ = 0;
            if (phase_ == Phase::kOut) fetch(now);
            return;
        case Phase::kIn:
            if (command_ == 0x02) {
                const uint64_t at = (address_ + filled_) % kPage;
                page_[at] = value, filled_ += 1;
                known_[at] = true;
            } else {
                page_[filled_++ & 1] = value;
            }
            return;
        case Phase::kIgnored: return;
        default: return stop(now, "a byte too many for command 0x%02x", command_);
        }
    }

    void command(Time now, uint8_t code) {
        command_ = code, address_ = 0, bits_ = 0, phase_ = Phase::kDone;
        const bool armed = reset_armed_;
        reset_armed_ = false;
        if (asleep_ && code != 0xAB)
            return stop(now, "command 0x%02x while it sleeps; 0xAB wakes it", code);
        const bool writes = code == 0x02 || code == 0x20 || code == 0x52 || code == 0xD8;
        const bool enables = code == 0x06 || code == 0x04;
        if (repeats_ && ((busy(now) && (writes || enables)) || (writes && !writable_))) {
            phase_ = Phase::kIgnored;
            return;
        }
        if (busy(now) && code != 0x05 && code != 0x35)
            return stop(now, "command 0x%02x while it writes", code);
        switch (code) {
        case 0x03:
            limit_ = part_.period_read;
            apart(now, first_, 7 * limit_, "eighth clock", "seven periods of 0x03");
            [[fallthrough]];
        case 0x0B: case 0x3B: phase_ = Phase::kAddress; return;
        case 0x6B:
            phase_ = Phase::kAddress;
            if (!(status_[1] & 2)) stop(now, "0x6B while QE is 0");
            return;
        case 0x9F: case 0x05: case 0x35: phase_ = Phase::kOut; got_ = 0; return fetch(now);
        case 0x02: case 0x20: case 0x52: case 0xD8:
            phase_ = Phase::kAddress;
            std::memset(known_, 0, sizeof known_);
            return may_write(now);
        case 0xC7: case 0x60: return may_write(now);
        case 0x01: case 0x31: phase_ = Phase::kIn; return may_write(now);
        case 0x06: case 0x04: case 0xAB: case 0xB9: case 0x66: return;
        case 0x99:
            if (!armed) stop(now, "0x99 without 0x66 before it");
            return;
        default: return stop(now, "command 0x%02x is not modelled", code);
        }
    }

    void may_write(Time now) {
        writes_ = true;
        if (!writable_) stop(now, "command 0x%02x without 0x06 before it", command_);
    }

    // The next byte to go out.
    void fetch(Time now) {
        lines_ = command_ == 0x6B ? 4 : command_ == 0x3B ? 2 : 1;
        switch (command_) {
        case 0x9F: out_ = got_ < 3 ? part_.id >> 8 * got_ : noise(); ++got_; break;
        case 0x05: out_ = (status_[0] & 0xFC) | (writable_ ? 2 : 0) | (busy(now) ? 1 : 0); break;
        case 0x35: out_ = status_[1]; break;
        default:
            out_ = cells_[address_];
            address_ = (address_ + 1) % part_.bytes;
        }
        bits_ = 0;
    }

    // The clock's fall: the next bits go out.
    void output(Time now) {
        apart(now, rise_, part_.half, "clock high", "the shortest half");
        fall_ = now;
        if (phase_ != Phase::kOut) return;
        if (bits_ == 8) fetch(now);
        old_ = data_;
        const uint32_t bits = out_ >> (8 - lines_ - bits_) & ((1 << lines_) - 1);
        data_ = lines_ == 1 ? bits << 1 : bits;
        if (driving_ == 0) driven_from_ = now, old_known_ = false;
        else old_known_ = true;
        driving_ = lines_ == 1 ? 2 : (1 << lines_) - 1;
        bits_ += lines_;
    }

    uint32_t seen(Time now) {
        const uint32_t pins = control_ >> kDataAt & 15;
        uint32_t theirs = uint32_t(noise()) & 15;
        if (!driving_ || (!selected() && now >= deselected_ + part_.release))
            return pins | (broken()[0] ? 1u << 31 : 0);
        if (selected() && !broken()[0]) {
            if (now >= fall_ + part_.output + part_.trip) theirs = data_;
            else if (now <= fall_ + part_.output_hold + part_.trip && old_known_) theirs = old_;
        }
        return (pins & ~driving_) | (theirs & driving_) | (broken()[0] ? 1u << 31 : 0);
    }

    bool busy(Time now) const { return now < busy_until_; }

    void deselect(Time now) {
        apart(now, rise_, part_.select_hold, "deselected after the clock", "select's hold time");
        const Phase phase = phase_;
        phase_ = Phase::kIdle;
        deselected_ = now;
        taking_ = false;
        if (phase == Phase::kOut || phase == Phase::kDummy || phase == Phase::kIgnored) return;
        if (phase == Phase::kCommand && bits_ == 0) return;
        if (bits_ % 8 != 0 || phase == Phase::kCommand || phase == Phase::kAddress)
            return stop(now, "deselected within command 0x%02x", command_);
        act(now);
    }

    void act(Time now) {
        switch (command_) {
        case 0x06: writable_ = true; return;
        case 0x04: writable_ = false; return;
        case 0xAB: if (asleep_) ready_at_ = now + part_.wake; asleep_ = false; return;
        case 0xB9: asleep_ = true; return;
        case 0x66: reset_armed_ = true; return;
        case 0x99: writable_ = false; ready_at_ = now + part_.reset; return;
        case 0x01: case 0x31:
            if (filled_ == 0 || filled_ > (command_ == 0x01 ? 2 : 1))
                return stop(now, "%u bytes for the status register", unsigned(filled_));
            if (command_ == 0x01) status_[0] = page_[0] & 0xFC;
            if (command_ == 0x31 || filled_ == 2) status_[1] = page_[command_ == 0x01];
            return write(now, 0, 0, part_.status);
        case 0x02: return program(now);
        case 0x20: return erase(now, 4096, part_.sector);
        case 0x52: return erase(now, 32768, part_.half_block);
        case 0xD8: return erase(now, 65536, part_.block);
        case 0xC7: case 0x60: return erase(now, part_.bytes, part_.chip);
        default: return;
        }
    }

    // What is being written is noise until it is done, so that a loss of power leaves that.
    void write(Time now, uint64_t at, uint64_t bytes, Time takes) {
        writable_ = false;
        busy_until_ = now + takes, busy_at_ = at, busy_bytes_ = bytes;
        if (bytes && at < guard_)
            stop(now, "address 0x%06x is written, which is below 0x%06x", unsigned(at),
                 unsigned(guard_));
    }

    void program(Time now) {
        if (filled_ == 0) return stop(now, "0x02 without data");
        const uint64_t start = address_ / kPage * kPage;
        write(now, start, kPage, part_.program);
        if (broken()[0]) return;
        ++programs_;
        for (uint64_t n = 0; n < kPage; ++n) {
            if (!known_[n]) continue;
            uint8_t& cell = cells_[start + n];
            if (page_[n] != 0xFF && (page_[n] & ~cell))
                stop(now, "0x%02x is programmed over 0x%02x at 0x%06x, which was not erased",
                     page_[n], cell, unsigned(start + n));
            cell &= page_[n];
        }
    }

    void erase(Time now, uint64_t bytes, Time takes) {
        const uint64_t start = bytes == part_.bytes ? 0 : address_ / bytes * bytes;
        write(now, start, bytes, takes);
        if (broken()[0]) return;
        ++erases_;
        std::memset(cells_ + start, 0xFF, bytes);
    }

    void scramble(uint64_t at, uint64_t bytes) {
        for (uint64_t n = 0; n < bytes; n += 8) {
            const uint64_t word = noise();
            std::memcpy(cells_ + at + n, &word, std::min<uint64_t>(8, bytes - n));
        }
    }

    const FlashPart part_;
    const uint64_t guard_;
    const bool repeats_;
    uint8_t* cells_ = nullptr;
    uint8_t page_[kPage] = {}, status_[2] = {}, command_ = 0, out_ = 0;
    bool known_[kPage] = {};
    Phase phase_ = Phase::kIdle;
    uint32_t control_ = kSelectN | 0xF << kDataAt, shift_ = 0, bits_ = 0, got_ = 0, left_ = 0;
    uint32_t driving_ = 0, data_ = 0, old_ = 0, lines_ = 1;
    uint64_t filled_ = 0, address_ = 0, busy_at_ = 0, busy_bytes_ = 0, erases_ = 0, programs_ = 0;
    bool writes_ = false, writable_ = false, reset_armed_ = false, asleep_,
         taking_ = false, old_known_ = false;
    Time limit_ = 0, stepped_ = 0, changed_ = kNever, rise_ = kNever, fall_ = kNever,
         first_ = kNever,
         selected_ = kNever, deselected_ = kNever, driven_from_ = kNever, busy_until_ = 0,
         ready_at_ = 0;
};

}  // namespace memories
