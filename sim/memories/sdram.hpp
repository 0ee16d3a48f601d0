// Single-data-rate SDRAM of 16 bits and four banks, at its pins.
//
// Not modelled, and so a reason to stop: bursts longer than a word, automatic precharge, power-down,
// self-refresh. Stricter than a data sheet: refreshes may be late by eight at most, not by 8,192.

#pragma once

#include <vector>

#include "pins.hpp"

namespace memories {

struct SdramPart {
    uint64_t column_bits, row_bits;
    uint64_t clock_2, clock_3;      // shortest period at a CAS latency of two and of three
    uint64_t access_2, access_3;    // from the clock to data, likewise
    uint64_t hold;                  // data stay after the next clock
    uint64_t drive, release;        // from the clock to when the pins are driven, and no longer
    uint64_t setup, input_hold;     // of all inputs
    uint64_t rcd, rp, ras, ras_most, rc, rfc, rrd, wr;
    uint64_t mode_clocks;           // from the mode register's setting to the next command
    uint64_t power_up;              // from power and clock to the first command
    uint64_t first_refreshes;       // before the first access
    uint64_t refresh;               // in which each row is to be refreshed
    uint64_t trip;                  // from the FPGA's pins to the part's and back
};

class Sdram : public Pins {
  public:
    static constexpr uint32_t kClock = 1, kCke = 2, kCsN = 4, kRasN = 8, kCasN = 16, kWeN = 32,
                              kOutput = 64;
    static constexpr uint32_t kIn = 0xFFFF;  // of what `step` gives, the data pins
    static constexpr int kMaskAt = 7;

    Sdram(const SdramPart& part, uint64_t seed)
        : Pins(seed), part_(part), words_(size_t(4) << (part.row_bits + part.column_bits)),
          written_(words_.size() / 64) {}

    // Takes the pins as they are from `now` on; the data pins as the FPGA sees them now.
    // `control` has the bits above and two of DQM; `address` BA above 13 bits of A.
    uint32_t step(Time now, uint32_t control, uint32_t address, uint32_t dq) {
        const bool rise = (control & kClock) && !(control_ & kClock);
        contention(now);
        if (((control ^ control_) & ~kClock) | (address ^ address_) | (dq ^ dq_)) {
            apart(now, edge_, part_.input_hold, "inputs change", "their hold time");
            changed_ = now;
        }
        control_ = control, address_ = address, dq_ = dq, stepped_ = now;
        if (rise) clock(now);
        return data(now);
    }

    uint16_t* word(uint64_t at, bool mark) {
        at %= words_.size();
        if (mark) written_[at / 64] |= uint64_t(1) << at % 64;
        return &words_[at];
    }

    uint64_t size() const { return words_.size(); }
    uint64_t refreshes() const { return refreshes_; }
    // Reads of words that nobody had written.
    uint64_t unwritten() const { return unwritten_; }

  private:
    struct Bank { bool open = false; uint32_t row = 0; Time active = kNever, write = kNever,
                  precharge = kNever; };
    struct Read { bool valid = false; uint16_t word = 0, mask = 0; };
    struct Shown { Time from = kNever, to = 0; uint16_t word = 0, mask = 0; };

    // Whether both sides drove the data pins since the step before.
    void contention(Time now) {
        if ((control_ & kOutput) && driven_ != kNever && stepped_ < released_ && now > driven_)
            stop(now, "the FPGA drives the data pins while the SDRAM drives them");
    }

    void clock(Time now) {
        const Time least = latency_ == 3 ? part_.clock_3 : part_.clock_2;
        apart(now, edge_, least, "next clock", "the shortest period");
        apart(now, changed_, part_.setup, "clock comes", "the inputs' setup time");
        edge_ = now;
        ++clocks_;
        output(now);
        if (!(control_ & kCke)) {
            if (cke_seen_) stop(now, "CKE low: power-down and self-refresh are not modelled");
            return;
        }
        if (!cke_seen_) cke_seen_ = true, powered_ = now;
        late(now);
        if (control_ & kCsN) return;
        command(now, (control_ & kRasN ? 4 : 0) | (control_ & kCasN ? 2 : 0)
                         | (control_ & kWeN ? 1 : 0));
    }

    // Reads go down a pipeline of clocks; the pins change in the one before the latency ends.
    void output(Time now) {
        const int last = int(latency_) - 2;
        shown_[1] = shown_[0];
        if (shown_[0].from != kNever) {
            shown_[1].to = now + part_.hold + part_.trip;
            released_ = now + part_.release;
        }
        const Read& read = pipe_[last < 0 ? 0 : last];
        shown_[0] = Shown();
        if (read.valid) {
            shown_[0] = {now + (latency_ == 3 ? part_.access_3 : part_.access_2) + part_.trip,
                         kNever, read.word, mask_};
            if (driven_ == kNever || now >= released_) driven_ = now + part_.drive;
            released_ = kNever;
        }
        for (int n = 2; n > 0; --n) pipe_[n] = pipe_[n - 1];
        pipe_[0] = Read();
        mask_ = control_ >> kMaskAt & 3;
    }

    uint32_t data(Time now) {
        uint16_t seen = uint16_t(noise());
        for (const Shown& shown : shown_) {
            if (shown.from == kNever || now < shown.from || now > shown.to || broken()[0]) continue;
            const uint16_t keep = (shown.mask & 1 ? 0 : 0x00FF) | (shown.mask & 2 ? 0 : 0xFF00);
            seen = (shown.word & keep) | (seen & ~keep);
            break;
        }
        return seen | (broken()[0] ? 1u << 31 : 0);
    }

    void late(Time now) {
        if (!ready()) return;
        const uint64_t due = (now - started_) / (part_.refresh >> part_.row_bits);
        if (due > refreshes_ - first_ + 8)
            stop(now, "refreshes are late by more than 8: %" PRIu64 " of %" PRIu64
                 " since the start", refreshes_ - first_, due);
    }

    bool ready() const { return latency_ != 0 && refreshes_ >= part_.first_refreshes; }

    void command(Time now, int code) {
        const uint32_t bank = address_ >> 13 & 3, a = address_ & 0x1FFF;
        if (code == 7) return;
        apart(now, powered_, part_.power_up, "first command", "the time after power-up");
        apart(now, refreshed_, part_.rfc, "command after REFRESH", "tRFC");
        if (mode_set_ && clocks_ - mode_set_ < part_.mode_clocks)
            stop(now, "command %d clocks after the mode register was set, tMRD is %d",
                 int(clocks_ - mode_set_), int(part_.mode_clocks));
        if (!ready() && code > 2)
            stop(now, "access before mode register and %d refreshes", int(part_.first_refreshes));
        switch (code) {
        case 3: return activate(now, banks_[bank], a);
        case 5: case 4: return access(now, bank, a, code == 4);
        case 2:
            for (uint32_t n = 0; n < 4; ++n)
                if (n == bank || (a & 0x400)) precharge(now, banks_[n]);
            precharged_ |= (a & 0x400) != 0;
            return;
        case 1:
            idle(now, "REFRESH");
            refreshed_ = now;
            ++refreshes_;
            return begin(now);
        case 0: return mode(now, a, bank);
        default: return stop(now, "BURST TERMINATE is not modelled");
        }
    }

    // From when on refreshes are counted.
    void begin(Time now) {
        if (ready() && started_ == kNever) started_ = now, first_ = refreshes_;
    }

    void idle(Time now, const char* what) {
        if (!precharged_) stop(now, "%s before all banks were precharged", what);
        for (const Bank& bank : banks_) {
            if (bank.open) stop(now, "%s while a row is open", what);
            apart(now, bank.precharge, part_.rp, what, "tRP");
        }
    }

    void activate(Time now, Bank& bank, uint32_t row) {
        if (bank.open) stop(now, "ACTIVE of a bank whose row is open");
        if (row >> part_.row_bits) stop(now, "ACTIVE of row %u, there are %u", row,
                                        1u << part_.row_bits);
        apart(now, bank.precharge, part_.rp, "ACTIVE after PRECHARGE", "tRP");
        apart(now, bank.active, part_.rc, "ACTIVE after ACTIVE of the bank", "tRC");
        apart(now, active_, part_.rrd, "ACTIVE after ACTIVE of another bank", "tRRD");
        bank.open = true, bank.row = row, bank.active = active_ = now;
    }

    void precharge(Time now, Bank& bank) {
        if (bank.open) {
            apart(now, bank.active, part_.ras, "PRECHARGE after ACTIVE", "tRAS");
            apart(now, bank.write, part_.wr, "PRECHARGE after WRITE", "tWR");
            if (now - bank.active > part_.ras_most)
                stop(now, "a row was open for %.1f us, at most %.1f", (now - bank.active) * 1e-6,
                     part_.ras_most * 1e-6);
        }
        bank.open = false, bank.precharge = now;
    }

    void access(Time now, uint32_t number, uint32_t column, bool write) {
        Bank& bank = banks_[number];
        if (!bank.open) return stop(now, "%s of a bank without a row", write ? "WRITE" : "READ");
        if (column >> part_.column_bits) stop(now, "column %u, there are %u", column,
                                              1u << part_.column_bits);
        apart(now, bank.active, part_.rcd, write ? "WRITE after ACTIVE" : "READ after ACTIVE",
              "tRCD");
        const uint64_t at = (uint64_t(number) << part_.row_bits | bank.row) << part_.column_bits
                            | column;
        const bool known = written_[at / 64] >> at % 64 & 1;
        if (!write) {
            unwritten_ += !known;
            pipe_[0] = {true, known ? words_[at] : uint16_t(noise()), 0};
            return;
        }
        if (!(control_ & kOutput)) stop(now, "WRITE while nobody drives the data pins");
        if (pipe_[1].valid || pipe_[2].valid || shown_[0].from != kNever)
            stop(now, "WRITE while words that were read are still to come");
        const uint32_t mask = control_ >> kMaskAt & 3;
        const uint16_t keep = (mask & 1 ? 0x00FF : 0) | (mask & 2 ? 0xFF00 : 0);
        const uint16_t old = known ? words_[at] : uint16_t(noise());
        *word(at, true) = (old & keep) | (dq_ & ~keep);
        bank.write = now;
    }

    void mode(Time now, uint32_t a, uint32_t bank) {
        idle(now, "mode register");
        latency_ = a >> 4 & 7;
        mode_set_ = clocks_;
        if (bank || (a & 7) || (a >> 7 & 3) || a >> 10 || latency_ < 2 || latency_ > 3) {
            stop(now, "mode register 0x%03x: neither words one by one nor a latency of 2 or 3", a);
            latency_ = 2;
        }
        begin(now);
    }

    const SdramPart part_;
    std::vector<uint16_t> words_;
    std::vector<uint64_t> written_;
    Bank banks_[4];
    Read pipe_[3];
    Shown shown_[2];
    uint32_t control_ = kCsN, address_ = 0, dq_ = 0;
    uint16_t mask_ = 0;
    uint64_t latency_ = 0, clocks_ = 0, mode_set_ = 0, refreshes_ = 0, first_ = 0, unwritten_ = 0;
    Time stepped_ = 0, changed_ = kNever, edge_ = kNever, powered_ = kNever, refreshed_ = kNever,
         active_ = kNever, started_ = kNever, driven_ = kNever, released_ = 0;
    bool cke_seen_ = false, precharged_ = false;
};

}  // namespace memories
