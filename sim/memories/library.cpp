// The models of memories as C functions, for Python.

#include "flash.hpp"
#include "hyper.hpp"
#include "sdram.hpp"

using memories::Flash;
using memories::FlashPart;
using memories::Hyper;
using memories::HyperPart;
using memories::Hypers;
using memories::Sdram;
using memories::SdramPart;

extern "C" {

Sdram* memories_sdram_create(const SdramPart* part, uint64_t seed) {
    return new Sdram(*part, seed);
}
void memories_sdram_destroy(Sdram* sdram) { delete sdram; }
uint32_t memories_sdram_step(Sdram* sdram, uint64_t now, uint32_t control, uint32_t address,
                             uint32_t dq) {
    return sdram->step(now, control, address, dq);
}
const char* memories_sdram_broken(const Sdram* sdram) { return sdram->broken(); }
uint64_t memories_sdram_count(const Sdram* sdram, int which) {
    return which == 0 ? sdram->size() : which == 1 ? sdram->refreshes() : sdram->unwritten();
}
void memories_sdram_peek(Sdram* sdram, uint64_t at, uint64_t words, uint16_t* out) {
    for (uint64_t n = 0; n < words; ++n) out[n] = *sdram->word(at + n, false);
}
void memories_sdram_poke(Sdram* sdram, uint64_t at, uint64_t words, const uint16_t* in) {
    for (uint64_t n = 0; n < words; ++n) *sdram->word(at + n, true) = in[n];
}

Flash* memories_flash_create(const FlashPart* part, uint64_t seed, const char* path,
                             uint64_t guard, int asleep, int repeats) {
    auto* flash = new Flash(*part, seed, path, guard, asleep != 0, repeats != 0);
    if (flash->usable()) return flash;
    delete flash;
    return nullptr;
}
void memories_flash_destroy(Flash* flash) { delete flash; }
uint32_t memories_flash_step(Flash* flash, uint64_t now, uint32_t control) {
    return flash->step(now, control);
}
const char* memories_flash_broken(const Flash* flash) { return flash->broken(); }
uint64_t memories_flash_count(const Flash* flash, int which) {
    return which == 0 ? flash->size() : which == 1 ? flash->erases() : flash->programs();
}
uint8_t* memories_flash_cells(Flash* flash) { return flash->cells(); }
void memories_flash_power_cycle(Flash* flash, int asleep) { flash->power_cycle(asleep != 0); }

Hyper* memories_hyper_create(const HyperPart* part, uint64_t seed) {
    return new Hyper(*part, seed);
}
void memories_hyper_destroy(Hyper* hyper) { delete hyper; }
uint32_t memories_hyper_step(Hyper* hyper, uint64_t now, uint32_t control, uint32_t dq) {
    return hyper->step(now, control, dq);
}
const char* memories_hyper_broken(const Hyper* hyper) { return hyper->broken(); }
uint8_t* memories_hyper_cells(Hyper* hyper) { return hyper->cells(); }

Hypers* memories_hypers_create(const HyperPart* part, uint64_t seed) {
    return new Hypers(*part, seed);
}
void memories_hypers_destroy(Hypers* hypers) { delete hypers; }
uint32_t memories_hypers_step(Hypers* hypers, uint64_t now, uint32_t control, uint32_t dq) {
    return hypers->step(now, control, dq);
}
const char* memories_hypers_broken(const Hypers* hypers) { return hypers->broken(); }
uint8_t* memories_hypers_cells(Hypers* hypers, int which) { return hypers->cells(which); }

}  // extern "C"
