/* Trains the core from the SoC's CPU, has it classify samples that it has not seen, and prints the
 * network that was learned. `job.h` is written by soc.py. */
#include "tritgrad.h"
#include "job.h"

static struct tg tg;
static unsigned right;

static void put(char c) {
    while (UART[1]) {}
    UART[0] = (uint8_t)c;
}

static void text(const char *s) { while (*s) put(*s++); }

static void hex(uint8_t byte) {
    put("0123456789abcdef"[byte >> 4]);
    put("0123456789abcdef"[byte & 15]);
}

static void number(unsigned n) {
    char digits[10];
    unsigned count = 0;
    do {
        unsigned tens = 0;
        for (; n >= 10; n -= 10) tens++;
        digits[count++] = (char)('0' + n);
        n = tens;
    } while (n);
    while (count) put(digits[--count]);
}

/* End with a line that says where; 4 tells the simulation that no more comes. */
static _Noreturn void stop(const char *where, int status) {
    text(where);
    if (status < 0) {
        text(" failed: -");
        number((unsigned)-status);
    }
    put('\n');
    put(4);
    for (;;) {}
}

static void check(const char *where, int status) { if (status < 0) stop(where, status); }

/* A result: its number, 4 bytes, then the class that the core predicts. */
static void result(const uint8_t *payload, unsigned length) {
    const unsigned n = payload[0] | (unsigned)payload[1] << 8;
    if (length > 4 && n < TESTED && payload[4] == tested_labels[n]) right++;
}

static void samples(const uint8_t *labels, const uint8_t *rows, unsigned count) {
    for (unsigned done = 0, some; done < count; done += some) {
        some = count - done < CHUNK ? count - done : CHUNK;
        check("DATA", tg_data(&tg, labels + done, rows + done * SAMPLE_BYTES, some, SAMPLE_BYTES));
    }
}

static void run(const uint8_t *program, unsigned bytes) {
    check("PROGRAM", tg_request(&tg, TG_PROGRAM, program, bytes));
    check("RUN", tg_request(&tg, TG_RUN, 0, 0));
}

static void halted(void) {
    const int state = tg_wait(&tg);
    if (state != 2) stop("the program", state < 0 ? state : -100);
}

int main(void) {
    check("HELLO", tg_open(&tg, TRITGRAD, PROTOCOL));
    tg.result = result;
    right = 0;
    for (const uint8_t *at = load; at < load + sizeof load; at += 3 + (at[1] | at[2] << 8))
        check("loading", tg_request(&tg, (enum tg_type)at[0], at + 3, at[1] | (unsigned)at[2] << 8));
    for (unsigned epoch = 1; epoch <= EPOCHS; epoch++) {
        run(train, sizeof train);
        samples(trained_labels, trained, TRAINED);
        halted();
        const uint8_t *counted = tg_answer(&tg); /* run, loaded, samples u32, correct u32 */
        text("epoch ");
        number(epoch);
        text(": ");
        number(counted[6] | (unsigned)counted[7] << 8);
        text(" of ");
        number(TRAINED);
        text(" right before they were learned\n");
    }
    run(infer, sizeof infer);
    samples(tested_labels, tested, TESTED);
    halted();
    number(right);
    text(" of ");
    number(TESTED);
    text(" unseen ones right\n");
    for (unsigned n = 0; n < sizeof reads / sizeof *reads; n++) {
        const int length = tg_request(&tg, TG_READ, reads[n], sizeof *reads);
        check("READ", length);
        text("memory ");
        for (int byte = 0; byte < length; byte++) hex(tg_answer(&tg)[byte]);
        put('\n');
    }
    stop("done", 0);
}

/* Where the CPU begins: a stack, and main. Nothing has to be copied or cleared. */
__asm__(".section .start,\"ax\"\n.globl _start\n_start:\n  lui sp, %hi(stack_end)\n"
        "  addi sp, sp, %lo(stack_end)\n  call main\n");
