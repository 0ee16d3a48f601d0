// What the models of memories share: noise, and the first rule that was broken.
//
// Times are picoseconds since power-up. A model that a rule has stopped stays stopped: it answers
// with noise, and what broke the rule stays to be read.

#pragma once

#include <cinttypes>
#include <cstdarg>
#include <cstdint>
#include <cstdio>

namespace memories {

using Time = uint64_t;
constexpr Time kNever = ~Time(0);

class Pins {
  public:
    explicit Pins(uint64_t seed) : noise_(seed) {}

    // The rule that was broken, or an empty text.
    const char* broken() const { return broken_; }

  protected:
    // SplitMix64: what nobody has written, and what comes at the wrong time.
    uint64_t noise() {
        uint64_t z = noise_ += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    __attribute__((format(printf, 3, 4)))
    void stop(Time now, const char* format, ...) {
        if (broken_[0]) return;
        int at = std::snprintf(broken_, sizeof broken_, "at %.3f us: ", now * 1e-6);
        va_list values;
        va_start(values, format);
        std::vsnprintf(broken_ + at, sizeof broken_ - at, format, values);
        va_end(values);
    }

    // Stops if less than `least` has passed since `then`, which may be never.
    void apart(Time now, Time then, Time least, const char* what, const char* rule) {
        if (then != kNever && now - then < least)
            stop(now, "%s after %.1f ns, %s is %.1f ns", what, (now - then) * 1e-3, rule,
                 least * 1e-3);
    }

  private:
    uint64_t noise_;
    char broken_[160] = "";
};

}  // namespace memories
