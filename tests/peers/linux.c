/*
 * Linux's side of `cargo xtask bench --wall --linux`: the rows of source/apps/bench/src/wall.rs and awaken.rs, by the same
 * names, with the least that Linux has for them.
 *
 * It is the first and only program of its machine. A pair is two processes, each kept to one CPU, which wake each other
 * through two words of shared memory and `futex`. Rows take turns in short slices, and the middle one counts.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 4, TURNS = 25, SLICE_NS = 20000000, WAKES = 500, QUIET_NS = 2000000, SETTLE = 3 };

typedef _Atomic uint32_t word;

/* Two processes. Their words are apart, so that they share no more than they must. */
struct pair {
    _Alignas(64) word work; /* whether the two are to talk */
    _Alignas(64) word ping;
    _Alignas(64) word pong;
    _Alignas(64) _Atomic uint64_t done; /* round trips in this slice */
};

/* Who sleeps on another CPU. */
struct sleeper {
    _Alignas(64) word go;
    _Alignas(64) word back;
    _Atomic uint64_t awake; /* when it ran */
};

/* A machine whose program gives up stops, and whoever waits for its rows says so. */
static void must(int holds, const char *what) {
    if (!holds) {
        perror(what);
        reboot(RB_POWER_OFF);
        exit(1);
    }
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void rest(uint64_t nanoseconds) {
    struct timespec time = {.tv_nsec = nanoseconds};
    nanosleep(&time, NULL);
}

static void stay(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    must(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

static void tell(word *at) {
    *at = 1;
    syscall(SYS_futex, at, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void look(word *at) {
    while (*at == 0)
        syscall(SYS_futex, at, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void await(word *at) {
    look(at);
    *at = 0;
}

static void *shared(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(memory != MAP_FAILED, "mmap");
    return memory;
}

static int child(int cpu) {
    pid_t process = fork();
    must(process >= 0, "fork");
    if (process == 0)
        stay(cpu);
    return process == 0;
}

static void start(struct pair *pair, int here, int there) {
    if (child(here))
        for (;;) {
            await(&pair->ping);
            pair->done++;
            tell(&pair->pong);
        }
    if (child(there))
        for (;;) {
            look(&pair->work);
            tell(&pair->ping);
            await(&pair->pong);
        }
}

static int by_size(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* How many round trips a second these pairs do together. */
static uint64_t slice(struct pair *pairs, int many) {
    uint64_t since = now(), done = 0;
    for (int i = 0; i < many; i++) {
        pairs[i].done = 0;
        tell(&pairs[i].work);
    }
    rest(SLICE_NS);
    for (int i = 0; i < many; i++)
        done += pairs[i].done;
    uint64_t took = now() - since;
    for (int i = 0; i < many; i++)
        pairs[i].work = 0;
    return done * 1000000000 / took;
}

static void row(const char *where, struct pair *pairs, int many) {
    uint64_t rates[TURNS];
    for (int i = 0; i < TURNS; i++)
        rates[i] = slice(pairs, many);
    qsort(rates, TURNS, sizeof *rates, by_size);
    must(rates[TURNS / 2] > 0, "no round trips");
    printf("wall: round trip %s, %d pairs at once | %lu ns\n", where, many, 1000000000ul * many / rates[TURNS / 2]);
}

static void wakes(void) {
    struct sleeper *sleeper = shared(sizeof *sleeper);
    uint64_t took[WAKES];
    if (child(1))
        for (;;) {
            await(&sleeper->go);
            sleeper->awake = now();
            tell(&sleeper->back);
        }
    stay(0);
    for (int i = 0; i < WAKES; i++) {
        rest(QUIET_NS);
        uint64_t signalled = now();
        tell(&sleeper->go);
        await(&sleeper->back);
        took[i] = sleeper->awake - signalled;
    }
    qsort(took, WAKES, sizeof *took, by_size);
    printf("wall: from a signal to a thread that slept on another CPU | %lu ns\n", took[WAKES / 2]);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    int cpus = sysconf(_SC_NPROCESSORS_ONLN);
    must(cpus > 1, "one CPU");
    struct pair *within = shared(PAIRS * sizeof *within), *across = shared(PAIRS * sizeof *across);
    for (int i = 0; i < PAIRS; i++) {
        start(&within[i], i % cpus, i % cpus);
        start(&across[i], i % cpus, (i + 1) % cpus);
    }
    sleep(SETTLE);
    for (int many = 1; many <= PAIRS; many++) {
        row("on one CPU", within, many);
        row("between two CPUs", across, many);
    }
    wakes();
    printf("bench: end\n");
    reboot(RB_POWER_OFF);
}
