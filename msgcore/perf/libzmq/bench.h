// What the modes in measure.c share: sockets, and counting in a window of time.
#define _GNU_SOURCE
#include "trips.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <zmq.h>

static void *context;
static const char *address;
static size_t size;
static double seconds, warm_up;
static int count = 1; // N: sockets, connections or subscribers
static int nodrop, busy;
static const char *kind = "";
static int rate, recovery, buffer; // of multicast, in kbit/s, ms and bytes
static char *keys[4]; // of CURVE: public and secret of the side that is bound, and of the other

static void fail(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, ": %s\n", zmq_strerror(errno));
    _exit(1);
}

static void check(int rc, const char *what)
{
    if (rc < 0)
        fail("%s", what);
}

static void pause_for(double s)
{
    struct timespec t = {(time_t)s, (long)((s - (time_t)s) * 1e9)};
    while (nanosleep(&t, &t) != 0)
        ;
}

static void sleep_on(void)
{
    for (;;)
        pause();
}

static void thread(void *(*f)(void *), void *arg)
{
    pthread_t t;
    if (pthread_create(&t, NULL, f, arg) != 0)
        fail("pthread_create");
}

// --- sockets -----------------------------------------------------------------

static void *socket_of(int type)
{
    void *s = zmq_socket(context, type);
    if (s == NULL)
        fail("zmq_socket");
    int none = 0;
    zmq_setsockopt(s, ZMQ_LINGER, &none, sizeof none);
    return s;
}

static void set_key(void *s, int option, const char *key)
{
    check(zmq_setsockopt(s, option, key, strlen(key) + 1), "a key of CURVE");
}

// bind_to binds to where and stores where that is, wildcards resolved.
static void bind_to(void *s, const char *where, char *bound, size_t room)
{
    if (keys[0] != NULL) {
        int one = 1;
        check(zmq_setsockopt(s, ZMQ_CURVE_SERVER, &one, sizeof one), "ZMQ_CURVE_SERVER");
        set_key(s, ZMQ_CURVE_SECRETKEY, keys[1]);
    }
    if (zmq_bind(s, where) != 0)
        fail("zmq_bind %s", where);
    check(zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, bound, &room), "ZMQ_LAST_ENDPOINT");
}

static void connect_to(void *s, const char *where)
{
    if (keys[0] != NULL) {
        set_key(s, ZMQ_CURVE_SERVERKEY, keys[0]);
        set_key(s, ZMQ_CURVE_PUBLICKEY, keys[2]);
        set_key(s, ZMQ_CURVE_SECRETKEY, keys[3]);
    }
    if (zmq_connect(s, where) != 0)
        fail("zmq_connect %s", where);
}

// connect_all connects to each of the addresses, which commas separate.
static void connect_all(void *s)
{
    char *copy = strdup(address), *rest = copy, *one;
    while ((one = strsep(&rest, ",")) != NULL)
        connect_to(s, one);
    free(copy);
}

static void ready(const char *where)
{
    printf("ready %s\n", where);
    fflush(stdout);
}

static void *bound_socket(int type)
{
    char bound[256];
    void *s = socket_of(type);
    bind_to(s, address, bound, sizeof bound);
    ready(bound);
    return s;
}

static void *connected_socket(int type)
{
    void *s = socket_of(type);
    connect_all(s);
    return s;
}

// send_one sends a message as libzmq's own perf tools do: allocated, not filled.
static void send_one(void *s, int flags)
{
    zmq_msg_t m;
    check(zmq_msg_init_size(&m, size), "zmq_msg_init_size");
    check(zmq_msg_send(&m, s, flags), "zmq_msg_send");
}

static void receive_one(void *s, zmq_msg_t *m)
{
    if (zmq_msg_recv(m, s, 0) < 0)
        fail("zmq_msg_recv");
}

// --- counting ----------------------------------------------------------------

// A counter is of one receiver, which alone writes it.
struct counter {
    long n;
    _Atomic long published;
    char pad[64];
};

static struct counter *counters;
static int counter_count;
static _Atomic long missing; // messages, by their numbers
static long early; // messages that came before counting could begin
static pthread_mutex_t first_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t first_cond = PTHREAD_COND_INITIALIZER;
static int first_count;

static void add(struct counter *c)
{
    if (c->n++ == 0) {
        pthread_mutex_lock(&first_lock);
        first_count++;
        pthread_cond_signal(&first_cond);
        pthread_mutex_unlock(&first_lock);
    }
    atomic_store_explicit(&c->published, c->n, memory_order_relaxed);
}

static long sum(void)
{
    long n = 0;
    for (int i = 0; i < counter_count; i++)
        n += atomic_load_explicit(&counters[i].published, memory_order_relaxed);
    return n;
}

// measure waits until every receiver has its first message, lets the warm-up
// pass, counts, tells the result and ends the process.
static void *measure(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&first_lock);
    while (first_count < counter_count)
        pthread_cond_wait(&first_cond, &first_lock);
    pthread_mutex_unlock(&first_lock);
    pause_for(warm_up);
    double begin = now();
    long from = sum(), missed = missing;
    pause_for(seconds);
    double end = now();
    long to = sum();
    missed = missing - missed;
    printf("result messages=%ld seconds=%.9g total=%ld lost=%ld\n", to - from, end - begin, to + early, missed);
    fflush(stdout);
    _exit(0);
}

static void start_counting(int receivers)
{
    counter_count = receivers;
    counters = calloc(receivers, sizeof *counters);
    thread(measure, NULL);
}

static void receive_for_ever(void *s, struct counter *c)
{
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (;;) {
        receive_one(s, &m);
        add(c);
    }
}
