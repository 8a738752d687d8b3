// The measuring program for libzmq: the same work, command line and output as
// those in Go (internal/bench), written as a C programmer would who wants speed.
//
//   cc -O2 -I../cbench measure.c -lzmq -lpthread
//
//   BIN [-FLAG[=VALUE]]... MODE ADDRESS SIZE SECONDS [N]
#include "bench.h"

// --- push and pull -----------------------------------------------------------

// mode_pull does not count before it has heard of each of N senders, who sign.
static void mode_pull(void)
{
    void *s = bound_socket(ZMQ_PULL);
    char *met = calloc(count, 1);
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (int left = count; left > 0; early++) {
        uint32_t i = 0;
        receive_one(s, &m);
        if (zmq_msg_size(&m) < sizeof i)
            break;
        memcpy(&i, zmq_msg_data(&m), sizeof i);
        if (count == 1)
            left = 0; // unsigned: libzmq's messages are not filled
        else if (i < (uint32_t)count && !met[i]) {
            met[i] = 1;
            left--;
        }
    }
    start_counting(1);
    receive_for_ever(s, counters);
}

static void mode_push(void)
{
    void *s = connected_socket(ZMQ_PUSH);
    for (;;)
        send_one(s, 0);
}

// mode_pushn sends through N sockets in turn, one message each, signed.
static void mode_pushn(void)
{
    void **s = calloc(count, sizeof *s);
    for (int i = 0; i < count; i++)
        s[i] = connected_socket(ZMQ_PUSH);
    for (;;)
        for (uint32_t i = 0; i < (uint32_t)count; i++) {
            zmq_msg_t m;
            check(zmq_msg_init_size(&m, size), "zmq_msg_init_size");
            if (size >= sizeof i)
                memcpy(zmq_msg_data(&m), &i, sizeof i);
            check(zmq_msg_send(&m, s[i], 0), "zmq_msg_send");
        }
}

static void *push_inproc(void *unused)
{
    (void)unused;
    mode_push();
    return NULL;
}

static void mode_inthr(void)
{
    void *s = bound_socket(ZMQ_PULL);
    start_counting(1);
    thread(push_inproc, NULL);
    receive_for_ever(s, counters);
}

// --- pub and sub -------------------------------------------------------------

// mode_pub drops what a subscriber has no room for; with -nodrop it waits for it,
// and starts when all N have subscribed.
static void mode_pub(void)
{
    void *s = socket_of(nodrop ? ZMQ_XPUB : ZMQ_PUB);
    char bound[256];
    int one = 1;
    if (nodrop) {
        check(zmq_setsockopt(s, ZMQ_XPUB_NODROP, &one, sizeof one), "ZMQ_XPUB_NODROP");
        check(zmq_setsockopt(s, ZMQ_XPUB_VERBOSE, &one, sizeof one), "ZMQ_XPUB_VERBOSE");
    }
    bind_to(s, address, bound, sizeof bound);
    ready(bound);
    for (int i = 0; nodrop && i < count; i++) {
        zmq_msg_t m;
        zmq_msg_init(&m);
        receive_one(s, &m);
        zmq_msg_close(&m);
    }
    for (;;)
        send_one(s, 0);
}

static void *subscribed_socket(void)
{
    void *s = socket_of(ZMQ_SUB);
    check(zmq_setsockopt(s, ZMQ_SUBSCRIBE, "", 0), "ZMQ_SUBSCRIBE");
    connect_all(s);
    return s;
}

static void *subscriber(void *c)
{
    receive_for_ever(subscribed_socket(), c);
    return NULL;
}

static void mode_sub(void)
{
    start_counting(count);
    for (int i = 0; i < count; i++)
        thread(subscriber, &counters[i]);
    sleep_on();
}

// --- multicast ---------------------------------------------------------------

static void *multicast_socket(int type)
{
    void *s = socket_of(type);
    int hops = 1;
    check(zmq_setsockopt(s, ZMQ_RATE, &rate, sizeof rate), "ZMQ_RATE");
    check(zmq_setsockopt(s, ZMQ_RECOVERY_IVL, &recovery, sizeof recovery), "ZMQ_RECOVERY_IVL");
    check(zmq_setsockopt(s, ZMQ_RCVBUF, &buffer, sizeof buffer), "ZMQ_RCVBUF");
    check(zmq_setsockopt(s, ZMQ_MULTICAST_HOPS, &hops, sizeof hops), "ZMQ_MULTICAST_HOPS");
    return s;
}

// mode_mpub numbers its messages; it waits while its queue is full.
static void mode_mpub(void)
{
    void *s = multicast_socket(ZMQ_XPUB);
    int one = 1;
    check(zmq_setsockopt(s, ZMQ_XPUB_NODROP, &one, sizeof one), "ZMQ_XPUB_NODROP");
    connect_all(s);
    for (uint64_t number = 0;; number++) {
        zmq_msg_t m;
        check(zmq_msg_init_size(&m, size), "zmq_msg_init_size");
        memcpy(zmq_msg_data(&m), &number, sizeof number);
        check(zmq_msg_send(&m, s, 0), "zmq_msg_send");
    }
}

// mode_msub counts the numbers that are missing, too.
static void mode_msub(void)
{
    void *s = multicast_socket(ZMQ_SUB);
    check(zmq_setsockopt(s, ZMQ_SUBSCRIBE, "", 0), "ZMQ_SUBSCRIBE");
    connect_all(s);
    ready(address);
    start_counting(1);
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (uint64_t next = 0;; next++) {
        uint64_t number;
        receive_one(s, &m);
        memcpy(&number, zmq_msg_data(&m), sizeof number);
        if (counters->n > 0)
            atomic_fetch_add_explicit(&missing, (long)(number - next), memory_order_relaxed);
        next = number;
        add(counters);
    }
}

// --- req and rep -------------------------------------------------------------

static void *answer(void *s)
{
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (;;) {
        receive_one(s, &m);
        check(zmq_msg_send(&m, s, 0), "zmq_msg_send");
    }
    return NULL;
}

// mode_rep binds N sockets, each with a thread of its own.
static void mode_rep(void)
{
    char all[4096] = "", where[256], bound[256];
    for (int i = 0; i < count; i++) {
        void *s = socket_of(ZMQ_REP);
        snprintf(where, sizeof where, "%s", address);
        if (i > 0 && strncmp(address, "tcp:", 4) != 0)
            snprintf(where, sizeof where, "%s-%d", address, i);
        bind_to(s, where, bound, sizeof bound);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i > 0 ? "," : "", bound);
        thread(answer, s);
    }
    ready(all);
    sleep_on();
}

// A requester has n sockets, which it uses in turn.
struct requester {
    void **sockets;
    int n, next;
    struct trips *trips;
    pthread_t thread;
};

static void trip(void *arg)
{
    struct requester *r = arg;
    void *s = r->sockets[r->next];
    r->next = (r->next + 1) % r->n;
    zmq_msg_t m;
    send_one(s, 0);
    zmq_msg_init(&m);
    receive_one(s, &m);
    zmq_msg_close(&m);
}

static void *request(void *arg)
{
    struct requester *r = arg;
    make_trips(r->trips, warm_up, seconds, trip, r);
    return NULL;
}

// mode_req connects N sockets to every address. One request is under way at a
// time; with -busy, one for each socket, which has a thread of its own.
static void mode_req(void)
{
    void **sockets = calloc(count, sizeof *sockets);
    for (int i = 0; i < count; i++)
        sockets[i] = connected_socket(ZMQ_REQ);
    size_t n = busy ? count : 1;
    struct requester *r = calloc(n, sizeof *r);
    struct trips *t = calloc(n, sizeof *t);
    for (size_t i = 0; i < n; i++) {
        r[i].sockets = sockets + i;
        r[i].n = busy ? 1 : count;
        r[i].trips = &t[i];
        if (pthread_create(&r[i].thread, NULL, request, &r[i]) != 0)
            fail("pthread_create");
    }
    for (size_t i = 0; i < n; i++)
        pthread_join(r[i].thread, NULL);
    tell_trips(t, n);
}

static void mode_inlat(void)
{
    thread(answer, bound_socket(ZMQ_REP));
    mode_req();
}

// --- proxy -------------------------------------------------------------------

static void *nodrop_xpub(void)
{
    void *s = socket_of(ZMQ_XPUB);
    int one = 1;
    check(zmq_setsockopt(s, ZMQ_XPUB_NODROP, &one, sizeof one), "ZMQ_XPUB_NODROP");
    return s;
}

static int is_queue(void)
{
    return strcmp(kind, "ROUTER-DEALER") == 0;
}

static void mode_proxy(void)
{
    void *front = socket_of(is_queue() ? ZMQ_ROUTER : ZMQ_XSUB);
    void *back = is_queue() ? socket_of(ZMQ_DEALER) : nodrop_xpub();
    char in[256], out[256], both[520];
    bind_to(front, address, in, sizeof in);
    bind_to(back, address, out, sizeof out);
    snprintf(both, sizeof both, "%s,%s", in, out);
    ready(both);
    zmq_proxy(front, back, NULL);
}

// mode_proxying sends. An XPUB waits until it knows of a subscriber.
static void mode_proxying(void)
{
    void *s = is_queue() ? socket_of(ZMQ_DEALER) : nodrop_xpub();
    connect_all(s);
    if (!is_queue()) {
        zmq_msg_t m;
        zmq_msg_init(&m);
        receive_one(s, &m);
    }
    for (;;)
        send_one(s, 0);
}

// mode_proxied counts messages by their last frame.
static void mode_proxied(void)
{
    start_counting(1);
    void *s = is_queue() ? connected_socket(ZMQ_DEALER) : subscribed_socket();
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (;;) {
        receive_one(s, &m);
        if (!zmq_msg_more(&m))
            add(counters);
    }
}

// --- memory ------------------------------------------------------------------

static void mode_base(void)
{
    bound_socket(ZMQ_PULL);
    sleep_on();
}

// mode_idlesrv says "idle" when each of N peers has sent its one message.
static void mode_idlesrv(void)
{
    void *s = bound_socket(ZMQ_ROUTER);
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (int i = 0; i < count;) {
        receive_one(s, &m);
        if (!zmq_msg_more(&m))
            i++;
    }
    puts("idle");
    fflush(stdout);
    sleep_on();
}

static void mode_idlecli(void)
{
    for (int i = 0; i < count; i++)
        send_one(connected_socket(ZMQ_DEALER), 0);
    sleep_on();
}

// --- a second launch ---------------------------------------------------------

// mode_primary answers each command line with an exit code: how many frames it has.
static void mode_primary(void)
{
    void *s = bound_socket(ZMQ_REP);
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (;;) {
        char code[16];
        int frames = 0;
        do {
            receive_one(s, &m);
            frames++;
        } while (zmq_msg_more(&m));
        snprintf(code, sizeof code, "%d", frames);
        check(zmq_send(s, code, strlen(code), 0), "zmq_send");
    }
}

// second_launch sends the working directory and the arguments behind address, and
// exits with the code that it is told.
static int second_launch(int argc, char **argv)
{
    char dir[4096], code[16];
    if (getcwd(dir, sizeof dir) == NULL)
        fail("getcwd");
    void *s = socket_of(ZMQ_REQ);
    connect_to(s, argv[2]);
    check(zmq_send(s, dir, strlen(dir), argc > 3 ? ZMQ_SNDMORE : 0), "zmq_send");
    for (int i = 3; i < argc; i++)
        check(zmq_send(s, argv[i], strlen(argv[i]), i < argc - 1 ? ZMQ_SNDMORE : 0), "zmq_send");
    int n = zmq_recv(s, code, sizeof code - 1, 0);
    check(n, "zmq_recv");
    code[n] = 0;
    zmq_close(s);
    zmq_ctx_term(context);
    return atoi(code);
}

// --- the command line --------------------------------------------------------

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"pull", mode_pull}, {"push", mode_push}, {"pushn", mode_pushn},
    {"rep", mode_rep}, {"req", mode_req},
    {"pub", mode_pub}, {"sub", mode_sub}, {"mpub", mode_mpub}, {"msub", mode_msub},
    {"inthr", mode_inthr}, {"inlat", mode_inlat},
    {"base", mode_base}, {"idlesrv", mode_idlesrv}, {"idlecli", mode_idlecli},
    {"proxy", mode_proxy}, {"proxying", mode_proxying}, {"proxied", mode_proxied},
    {"primary", mode_primary},
};

int main(int argc, char **argv)
{
    const char *program = argv[0];
    if (argc == 2 && strcmp(argv[1], "version") == 0) {
        int major, minor, patch;
        zmq_version(&major, &minor, &patch);
        printf("%d.%d.%d\n", major, minor, patch);
        return 0;
    }
    context = zmq_ctx_new();
    if (argc >= 3 && strcmp(argv[1], "launch") == 0) {
        alarm(60);
        return second_launch(argc, argv);
    }
    for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
        nodrop |= strcmp(argv[1], "-nodrop") == 0;
        busy |= strcmp(argv[1], "-busy") == 0;
        if (strncmp(argv[1], "-kind=", 6) == 0)
            kind = argv[1] + 6;
        if (strncmp(argv[1], "-rate=", 6) == 0)
            rate = atoi(argv[1] + 6);
        if (strncmp(argv[1], "-buffer=", 8) == 0)
            buffer = atoi(argv[1] + 8);
        if (strncmp(argv[1], "-warmup=", 8) == 0)
            warm_up = strtod(argv[1] + 8, NULL); // "1s", as in Go
        if (strncmp(argv[1], "-recovery=", 10) == 0)
            recovery = atoi(argv[1] + 10);
        if (strncmp(argv[1], "-curve=", 7) == 0) {
            char *rest = argv[1] + 7;
            for (int i = 0; i < 4; i++)
                if ((keys[i] = strsep(&rest, ",")) == NULL)
                    fail("-curve wants four keys");
        }
    }
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: %s [-FLAG]... MODE ADDRESS SIZE SECONDS [N]\n", program);
        return 2;
    }
    address = argv[2];
    size = strtoul(argv[3], NULL, 10);
    seconds = strtod(argv[4], NULL);
    if (warm_up == 0)
        warm_up = seconds < 0.1 ? seconds : 0.1;
    if (argc == 6)
        count = atoi(argv[5]);

    // It ends by itself even if whoever started it cannot end it any more.
    alarm((unsigned)(warm_up + seconds + 60));
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (count > 500)
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 2 * count + 100);

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, argv[1]) == 0)
            modes[i].run();
    fprintf(stderr, "%s: no mode %s\n", program, argv[1]);
    return 2;
}
