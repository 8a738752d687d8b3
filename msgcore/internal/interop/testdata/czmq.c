#include <czmq.h>

int main(int argc, char **argv) {
	zsock_t *s[8];
	int n = 0;
	for (int i = 1; i + 2 < argc && n < 8; i += 3, n++) {
		static const char *names[] = {"PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"};
		int type = 0;
		while (strcmp(names[type], argv[i]) != 0)
			type++;
		s[n] = zsock_new(type);
		if (type == ZMQ_SUB)
			zsock_set_subscribe(s[n], "");
		int rc = streq(argv[i + 1], "bind") ? zsock_bind(s[n], "%s", argv[i + 2]) : zsock_connect(s[n], "%s", argv[i + 2]);
		if (rc < 0)
			return 1;
	}
	for (;;) {
		zmsg_t *m = zmsg_recv(s[0]);
		for (int i = 1; i < n - 1 && m; i++) {
			zmsg_send(&m, s[i]);
			m = zmsg_recv(s[i]);
		}
		if (!m || zmsg_send(&m, s[n - 1]) != 0)
			return 1;
	}
}
