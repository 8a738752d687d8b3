// What programs in C share that time round trips, so that all of them do it in
// the same way, as internal/bench does for those in Go.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

// Trips are the round trips of one requester, which alone writes them.
struct trips {
    uint32_t *took; // nanoseconds, of those that count
    size_t count, room;
    long total; // with those of the warm-up
    double begin; // of what counts
    char pad[64];
};

// make_trips calls trip again and again and times each call. The end of one is the
// begin of the next, so that the clock is read once for each.
static void make_trips(struct trips *t, double warm_up, double seconds, void (*trip)(void *), void *arg)
{
    double start = now();
    do {
        trip(arg);
        t->total++;
    } while (now() - start < warm_up);
    t->begin = now();
    double last = t->begin;
    while (last - t->begin < seconds) {
        trip(arg);
        t->total++;
        double end = now();
        if (t->count == t->room) {
            t->room = t->room ? 2 * t->room : 4096;
            t->took = realloc(t->took, t->room * sizeof *t->took);
        }
        t->took[t->count++] = (uint32_t)((end - last) * 1e9);
        last = end;
    }
}

static int compare_trips(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// tell_trips tells the result of n requesters and ends the process.
static void tell_trips(const struct trips *t, size_t n)
{
    size_t many = 0;
    long total = 0;
    for (size_t i = 0; i < n; i++)
        many += t[i].count, total += t[i].total;
    double elapsed = now() - t[0].begin;
    uint32_t *all = malloc(many * sizeof *all);
    many = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(all + many, t[i].took, t[i].count * sizeof *all);
        many += t[i].count;
    }
    qsort(all, many, sizeof *all, compare_trips);
    static const int quantiles[] = {10, 50, 90, 99};
    printf("result");
    for (int i = 0; i < 4; i++)
        printf(" p%d=%.9g", quantiles[i], all[(size_t)(quantiles[i] * 0.01 * (many - 1))] * 1e-3);
    printf(" messages=%zu seconds=%.9g total=%ld\n", many, elapsed, total);
    fflush(stdout);
    _exit(0);
}
