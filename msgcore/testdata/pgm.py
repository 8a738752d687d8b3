"""A PUB or SUB of libzmq over pgm or epgm, for the tests of this package.

  pgm.py pub ENDPOINT RATE FROM TO   says "ready", sends at each line of its input, says "sent"
  pgm.py sub ENDPOINT RATE FROM TO   says "ready", "joined" at the first message "sync",
                                     receives those that are none, says "ok"

It ends when its input does.
"""

import sys

import zmq

POOL = bytes(range(256)) * 400


def message(i):
    """The same as pgmMessage."""
    n = i * 7919 % 1000
    if i % 100 == 99:
        n = 100_000 - i
    body = POOL[i % 256:i % 256 + n]
    return [b"m%06d" % i, body[:n // 3], body[n // 3:]]


def say(text):
    print(text, flush=True)


role, endpoint, rate, start, end = sys.argv[1:]
context = zmq.Context()
socket = context.socket(zmq.PUB if role == "pub" else zmq.SUB)
socket.rate = int(rate)
socket.recovery_ivl = 10_000
socket.linger = 1000
socket.sndhwm = socket.rcvhwm = 0
if role == "pub":
    socket.bind(endpoint)
    say("ready")
    for line in sys.stdin:
        for i in range(int(start), int(end)):
            socket.send_multipart(message(i))
        say("sent")
else:
    socket.subscribe(b"")
    socket.connect(endpoint)
    socket.rcvtimeo = 60_000
    say("ready")
    joined = False
    for i in range(int(start), int(end)):
        got = socket.recv_multipart()
        while got[0] == b"sync":
            if not joined:
                say("joined")
            joined = True
            got = socket.recv_multipart()
        if got != message(i):
            say(f"message {i}: got {got[0]} and {[len(f) for f in got]} bytes")
            sys.exit(1)
    say("ok")
    sys.stdin.read()
socket.close()
context.term()
