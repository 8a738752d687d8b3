"""libzmq sockets under remote control, for the tests of this package.

It reads operations from its standard input, one JSON object a line, runs those of
one socket one after the other and those of several side by side, and answers each
with a JSON object on standard output. It ends when its input does.
"""

import base64
import hashlib
import json
import os
import queue
import sys
import threading
import traceback

import zmq

MASK = (1 << 64) - 1
POOL = hashlib.shake_128(b"solomq").digest(2 << 20)
SYNC = b"\0sync"

context = zmq.Context()
lock = threading.Lock()


def say(answer):
    with lock:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def draws(state):
    """The numbers of splitmix64."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def messages(seed, count, budget):
    """The same messages as the function of this name in interop_test.go."""
    d = draws(seed)
    spent = 0
    for i in range(count):
        k = next(d) % 21
        n = 1 << 20
        if k < 20:
            n = (1 << k) - 1 + next(d) % (1 << k)
        if i % 100 and spent + n > budget * (i + 1) // count + (1 << 20):
            n %= 512
        spent += n
        cuts = sorted(next(d) % (n + 1) for _ in range(next(d) % 4))
        at = next(d) % (len(POOL) - n)
        ends = [0] + cuts + [n]
        yield [POOL[at + a:at + b] for a, b in zip(ends, ends[1:])]


class Socket(threading.Thread):
    """One socket and the thread that owns it."""

    def __init__(self, kind, options):
        super().__init__(daemon=True)
        self.todo = queue.Queue()
        self.go = threading.Event()  # ends a send_stream's announcements
        self.socket = context.socket(getattr(zmq, kind))
        self.socket.linger = -1
        for name, value in options.items():
            self.set(name, value)
        self.start()

    def run(self):
        while True:
            op = self.todo.get()
            try:
                value = getattr(self, op["op"])(*op["args"])
                say({"n": op["n"], "value": value})
            except Exception:
                say({"n": op["n"], "error": traceback.format_exc()})
            if op["op"] == "close":
                return

    def set(self, name, value):
        if isinstance(value, str):
            value = value.encode()
        self.socket.setsockopt(getattr(zmq, name), value)

    def bind(self, endpoint):
        self.socket.bind(endpoint)
        return self.socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0")

    def unbind(self, endpoint):
        self.socket.unbind(endpoint)

    def connect(self, endpoint):
        self.socket.connect(endpoint)

    def disconnect(self, endpoint):
        self.socket.disconnect(endpoint)
        self.socket.poll(100)  # libzmq closes within its application's calls

    def close(self):
        self.socket.close()

    def send(self, frames):
        self.socket.send_multipart([base64.b64decode(f) for f in frames])

    def recv(self):
        return [base64.b64encode(f).decode() for f in self.socket.recv_multipart()]

    def check(self, i, want, got):
        if got != want:
            raise ValueError(
                f"message {i}: got frames of {[len(f) for f in got]} bytes, "
                f"want {[len(f) for f in want]}, equal to the pool's"
            )

    def send_stream(self, seed, count, budget, announce):
        """Sends a stream, once the receivers have heard the announcement."""
        while announce and not self.go.wait(0.002):
            self.socket.send(SYNC)
        for m in messages(seed, count, budget):
            self.socket.send_multipart(m)

    def recv_stream(self, seed, count, budget):
        for i, want in enumerate(messages(seed, count, budget)):
            self.check(i, want, self.socket.recv_multipart())

    def echo_stream(self, count):
        for _ in range(count):
            self.socket.send_multipart(self.socket.recv_multipart())

    def request_stream(self, seed, count, budget, window):
        """Sends a stream and wants it echoed, so many messages ahead."""
        ahead = []
        for i, m in enumerate(messages(seed, count, budget)):
            if len(ahead) == window:
                self.check(i - window, ahead.pop(0), self.socket.recv_multipart())
            self.socket.send_multipart(m)
            ahead.append(m)
        for i, m in enumerate(ahead):
            self.check(count - len(ahead) + i, m, self.socket.recv_multipart())

    def send_large(self, count, size):
        """Sends messages of one frame."""
        body = bytes(size)
        for _ in range(count):
            self.socket.send(body, copy=False)

    def recv_large(self, count, size):
        for i in range(count):
            self.check(i, [bytes(size)], self.socket.recv_multipart())

    def serve(self):
        """Echoes until the process ends."""
        while True:
            self.socket.send_multipart(self.socket.recv_multipart())


def main():
    sockets = {}
    say({"n": 0, "value": zmq.zmq_version()})
    for line in sys.stdin:
        op = json.loads(line)
        try:
            if op["op"] == "open":
                sockets[op["sock"]] = Socket(*op["args"])
                say({"n": op["n"], "value": None})
            elif op["op"] == "go":
                sockets[op["sock"]].go.set()
                say({"n": op["n"], "value": None})
            else:
                sockets[op["sock"]].todo.put(op)
        except Exception:
            say({"n": op["n"], "error": traceback.format_exc()})
    os._exit(0)


main()
