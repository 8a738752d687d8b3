"""A libzmq peer for the tests. It prints what they need to know, one item a line,
and ends when its standard input does."""

import os
import sys
import threading

import zmq


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


def say(*words):
    print(*words, flush=True)


def router_echo(socket):
    """Echoes every message to whoever sent it."""
    while True:
        socket.send_multipart(socket.recv_multipart())


def dealer_echo(socket):
    router_echo(socket)


def sub(socket):
    """Subscribes, shows one message and cancels."""
    socket.setsockopt(zmq.SUBSCRIBE, b"AB")
    say(socket.recv_multipart())
    socket.setsockopt(zmq.UNSUBSCRIBE, b"AB")
    threading.Event().wait()


def pub(socket):
    """Is only asked to shake hands."""
    threading.Event().wait()


def main():
    role, verb, endpoint, heartbeat = sys.argv[1:5]
    threading.Thread(target=end_with_parent, daemon=True).start()
    kind = role.split("_")[0].upper()
    socket = zmq.Context().socket(getattr(zmq, kind))
    socket.linger = 0
    if int(heartbeat):
        socket.setsockopt(zmq.HEARTBEAT_IVL, int(heartbeat))
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 40 * int(heartbeat))
        socket.setsockopt(zmq.HEARTBEAT_TTL, 60000)
    if kind == "DEALER":
        socket.setsockopt(zmq.IDENTITY, b"myid")
    if verb == "bind":
        socket.bind(endpoint)
        say(socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0"))
    else:
        socket.connect(endpoint)
        say(endpoint)
    globals()[role](socket)


main()
