// A yardstick for round trips: two programs that write, wait and receive, and nothing
// else. There are no frames and no protocol; a message is the next SIZE bytes. What
// is left is what this machine takes to wake a process that waits in the system,
// twice, and to carry the bytes. It is no competitor: it cannot do anything.
//
// Each side waits by epoll, as whoever has more than one connection must, and is
// told of each arrival once. It receives only what it has been told of.
//
//   cc -O2 -I../cbench bare.c
//
//   BIN rep|req ADDRESS SIZE SECONDS [N]
#define _GNU_SOURCE
#include "trips.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

static size_t size;
static char *body;
static int connection, poller;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    _exit(1);
}

static int check(int rc, const char *what)
{
    if (rc < 0)
        fail(what);
    return rc;
}

// --- one connection ----------------------------------------------------------

union address {
    struct sockaddr any;
    struct sockaddr_in tcp;
    struct sockaddr_un ipc;
};

// parse reads tcp://IPV4:PORT, with * for any port, or ipc://PATH.
static socklen_t parse(const char *text, union address *a)
{
    char ip[16], port[8];
    memset(a, 0, sizeof *a);
    if (sscanf(text, "tcp://%15[0-9.]:%7[0-9*]", ip, port) == 2) {
        a->tcp.sin_family = AF_INET;
        a->tcp.sin_port = htons(atoi(port));
        a->tcp.sin_addr.s_addr = inet_addr(ip);
        return sizeof a->tcp;
    }
    if (strncmp(text, "ipc://", 6) == 0 && strlen(text + 6) < sizeof a->ipc.sun_path) {
        a->ipc.sun_family = AF_UNIX;
        strcpy(a->ipc.sun_path, text + 6);
        return sizeof a->ipc;
    }
    errno = EINVAL;
    fail(text);
    return 0;
}

// accept_one binds, says where, and takes the first who comes.
static int accept_one(const char *text)
{
    union address a;
    socklen_t n = parse(text, &a);
    int listener = check(socket(a.any.sa_family, SOCK_STREAM, 0), "socket");
    check(bind(listener, &a.any, n), text);
    check(listen(listener, 1), "listen");
    check(getsockname(listener, &a.any, &n), "getsockname");
    if (a.any.sa_family == AF_INET)
        printf("ready tcp://%s:%d\n", inet_ntoa(a.tcp.sin_addr), ntohs(a.tcp.sin_port));
    else
        printf("ready %s\n", text);
    fflush(stdout);
    return check(accept(listener, NULL, NULL), "accept");
}

static int connect_to(const char *text)
{
    union address a;
    socklen_t n = parse(text, &a);
    int s = check(socket(a.any.sa_family, SOCK_STREAM, 0), "socket");
    check(connect(s, &a.any, n), text);
    return s;
}

// use makes s the connection that everything below is about.
static void use(int s, int tcp)
{
    int one = 1;
    if (tcp)
        check(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
    poller = check(epoll_create1(0), "epoll_create1");
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    check(epoll_ctl(poller, EPOLL_CTL_ADD, s, &e), "epoll_ctl");
    connection = s;
}

// --- a message ---------------------------------------------------------------

static void send_body(void)
{
    if (write(connection, body, size) != (ssize_t)size)
        fail("write");
}

// receive_body returns 0 when the other side has ended. A large body comes in
// pieces; what is asked for is always all that is under way, so that nothing is
// left of which epoll would not tell again.
static int receive_body(void)
{
    for (size_t have = 0; have < size;) {
        struct epoll_event e;
        if (epoll_wait(poller, &e, 1, -1) < 0)
            fail("epoll_wait");
        ssize_t n = recv(connection, body + have, size - have, MSG_DONTWAIT);
        if (n == 0)
            return 0;
        if (n > 0)
            have += n;
        else if (errno != EAGAIN) // that piece came with the one before
            fail("recv");
    }
    return 1;
}

static void trip(void *unused)
{
    (void)unused;
    send_body();
    if (!receive_body()) {
        errno = ECONNRESET;
        fail("recv");
    }
}

// --- the command line --------------------------------------------------------

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: %s rep|req ADDRESS SIZE SECONDS [N]\n", argv[0]);
        return 2;
    }
    const char *address = argv[2];
    size = strtoul(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    double warm_up = seconds < 0.1 ? seconds : 0.1;
    body = calloc(size, 1);
    int tcp = strncmp(address, "tcp:", 4) == 0;

    // It ends by itself even if whoever started it cannot end it any more.
    alarm((unsigned)(warm_up + seconds + 60));

    if (strcmp(argv[1], "rep") == 0) {
        use(accept_one(address), tcp);
        while (receive_body())
            send_body();
        return 0;
    }
    if (strcmp(argv[1], "req") == 0) {
        static struct trips t;
        use(connect_to(address), tcp);
        make_trips(&t, warm_up, seconds, trip, NULL);
        tell_trips(&t, 1);
    }
    fprintf(stderr, "%s: no mode %s\n", argv[0], argv[1]);
    return 2;
}
