#!/usr/bin/env python3
"""Hand a command line to a running primary: forward.py RECORD ARG0 ARG..."""
import os, re, struct, sys, zmq, zmq.auth

record = dict(re.findall('^([a-z-]+)="?(.*?)"?$', open(sys.argv[1]).read(), re.M))
sock = zmq.Context().socket(zmq.REQ)
if "server-key" in record:                                             # on tcp: CURVE
    sock.curve_publickey, sock.curve_secretkey = zmq.auth.load_certificate(record["client-key"])
    sock.curve_serverkey = record["server-key"].encode()
sock.connect(record["endpoint"])

def say(kind, *fields):
    sock.send(b"UQ\x01" + bytes([kind]) + b"".join(struct.pack(">BI", t, len(v)) + v for t, v in fields))
    head, at, answer = sock.recv_multipart()[0], 4, {}
    while at < len(head):
        tag, size = struct.unpack_from(">BI", head, at)
        answer[tag], at = head[at + 5:at + 5 + size], at + 5 + size
    return head[3], answer

assert say(1)[1][3].hex() == record["generation"], "stale record"                    # HELLO -> WELCOME
args = [(16, os.fsencode(arg)) for arg in sys.argv[2:]]
kind, answer = say(3, *args, (18, os.fsencode(os.getcwd())))           # REQUEST -> OFFER
assert kind == 4, (kind, answer.get(33))
kind, answer = say(7)                                                  # GO -> EXIT
assert kind == 8, kind
print(struct.unpack(">q", answer[32])[0])
