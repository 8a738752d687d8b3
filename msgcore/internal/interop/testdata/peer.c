#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static int type_of(const char *name) {
	static const char *names[] = {"PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"};
	for (int i = 0; i < 9; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	exit(2);
}

static void check(int rc, const char *what) {
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
		exit(1);
	}
}

/* pass moves a message from one socket to another, which may be the same. */
static void pass(void *from, void *to) {
	zmq_msg_t frames[16];
	int n = 0;
	do {
		zmq_msg_init(&frames[n]);
		check(zmq_msg_recv(&frames[n], from, 0), "recv");
	} while (zmq_msg_more(&frames[n++]) && n < 16);
	for (int i = 0; i < n; i++)
		check(zmq_msg_send(&frames[i], to, i < n - 1 ? ZMQ_SNDMORE : 0), "send");
}

int main(int argc, char **argv) {
	void *context = zmq_ctx_new(), *s[8];
	int n = 0;
	for (int i = 1; i + 2 < argc && n < 8; i += 3, n++) {
		s[n] = zmq_socket(context, type_of(argv[i]));
		if (strcmp(argv[i], "SUB") == 0)
			check(zmq_setsockopt(s[n], ZMQ_SUBSCRIBE, "", 0), "subscribe");
		check(strcmp(argv[i + 1], "bind") == 0 ? zmq_bind(s[n], argv[i + 2]) : zmq_connect(s[n], argv[i + 2]), argv[i + 2]);
	}
	for (;;) {
		if (n == 1)
			pass(s[0], s[0]);
		for (int i = 1; i < n; i++)
			pass(s[i - 1], s[i]);
	}
}
