"""A libzmq socket with a security mechanism, for the tests of this package.

Its one argument is a JSON object that says what to do. It prints what happens, one
JSON value a line, beginning with its endpoint, and ends when its standard input
does.
"""

import json
import os
import sys
import threading

import zmq
import zmq.utils.monitor
import zmq.utils.z85

context = zmq.Context()
lock = threading.Lock()


def say(value):
    with lock:
        print(json.dumps(value), flush=True)


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


def handle_zap(socket, zap):
    """A ZAP handler (RFC 27) that answers zap's status to whom it does not know."""
    while True:
        version, request, domain, address, identity, mechanism, *credentials = socket.recv_multipart()
        credentials = [zmq.utils.z85.encode(c) if mechanism == b"CURVE" else c for c in credentials]
        known = [c.decode() for c in credentials] in zap["known"]
        status = b"200" if known else zap["status"].encode()
        socket.send_multipart([version, request, status, b"text", b"bob" if known else b"", b""])


def echo(socket, count):
    for _ in range(count):
        socket.send_multipart(socket.recv_multipart())
    say("done")


def subscribe(socket, topic):
    socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
    say([f.decode() for f in socket.recv_multipart()])


def publish(socket, topic):
    """Publishes until it is unsubscribed; first what nobody wants."""
    event = socket.recv()
    say([event[:1].hex(), event[1:].decode()])
    socket.send_multipart([b"not " + topic.encode(), b"no"])
    socket.send_multipart([topic.encode(), b"yes"])


def monitor(socket, events):
    """Says which handshakes come to which end."""
    names = {
        zmq.EVENT_HANDSHAKE_SUCCEEDED: "succeeded",
        zmq.EVENT_HANDSHAKE_FAILED_AUTH: "refused",
        zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "protocol",
        zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "closed",
    }
    while True:
        event = zmq.utils.monitor.recv_monitor_message(events)
        if event["event"] in names:
            say([names[event["event"]], event["value"]])


def main():
    a = json.loads(sys.argv[1])
    threading.Thread(target=end_with_parent, daemon=True).start()
    if "zap" in a:
        handler = context.socket(zmq.REP)
        handler.bind("inproc://zeromq.zap.01")
        threading.Thread(target=handle_zap, args=(handler, a["zap"]), daemon=True).start()
    socket = context.socket(getattr(zmq, a["kind"]))
    socket.linger = 0
    for name, value in a["options"].items():
        if isinstance(value, str):
            value = value.encode()
        socket.setsockopt(getattr(zmq, name), value)
    if a["job"] == "monitor":
        events = socket.get_monitor_socket()
    if "bind" in a:
        socket.bind(a["bind"])
        say(socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0"))
    else:
        socket.connect(a["connect"])
        say(a["connect"])
    if a["job"] == "monitor":
        monitor(socket, events)
    {"echo": echo, "subscribe": subscribe, "publish": publish}[a["job"]](socket, a["with"])
    threading.Event().wait()


main()
