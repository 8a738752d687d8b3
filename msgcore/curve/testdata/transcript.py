"""Writes transcript.txt: a connection of CURVE between a DEALER and a ROUTER with
fixed keys and nonces, sealed by libsodium and not by the code under test. Each line
is who sends it, what it is, and the frame in hexadecimal digits."""

import ctypes
import ctypes.util
import hashlib
import struct

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
assert sodium.sodium_init() >= 0


def fixed(name, size=32):
    return hashlib.shake_128(name.encode()).digest(size)


def public(secret):
    out = ctypes.create_string_buffer(32)
    assert sodium.crypto_scalarmult_base(out, secret) == 0
    return out.raw


def box(message, nonce, theirs, mine):
    assert len(nonce) == 24, nonce
    out = ctypes.create_string_buffer(len(message) + 16)
    assert sodium.crypto_box_easy(out, message, ctypes.c_ulonglong(len(message)), nonce, theirs, mine) == 0
    return out.raw


def secretbox(message, nonce, key):
    out = ctypes.create_string_buffer(len(message) + 16)
    assert sodium.crypto_secretbox_easy(out, message, ctypes.c_ulonglong(len(message)), nonce, key) == 0
    return out.raw


def frame(body, flags):
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body


def command(name, data):
    return frame(bytes([len(name)]) + name + data, 4)


def prop(name, value):
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


def say(who, what, data):
    print(who, what, data.hex())


c, s = fixed("client"), fixed("server")
ct, st = fixed("client's random bytes", 48)[:32], fixed("server's random bytes", 96)[:32]
vouch_nonce = fixed("client's random bytes", 48)[32:]
random = fixed("server's random bytes", 96)[32:]
k, cookie_nonce, welcome_nonce = random[:32], random[32:48], random[48:]
C, S, CT, ST = map(public, (c, s, ct, st))


def short(n):
    return struct.pack(">Q", n)


say("client", "HELLO", command(b"HELLO", b"\1\0" + bytes(72) + CT + short(1) +
    box(bytes(64), b"CurveZMQHELLO---" + short(1), S, ct)))
cookie = cookie_nonce + secretbox(CT + st, b"COOKIE--" + cookie_nonce, k)
say("server", "WELCOME", command(b"WELCOME", welcome_nonce +
    box(ST + cookie, b"WELCOME-" + welcome_nonce, CT, s)))
vouch = vouch_nonce + box(CT + S, b"VOUCH---" + vouch_nonce, ST, c)
dealer = prop(b"Socket-Type", b"DEALER") + prop(b"Identity", b"myid")
say("client", "INITIATE", command(b"INITIATE", cookie + short(2) +
    box(C + vouch + dealer, b"CurveZMQINITIATE" + short(2), ST, ct)))
say("server", "READY", command(b"READY", short(1) +
    box(prop(b"Socket-Type", b"ROUTER"), b"CurveZMQREADY---" + short(1), CT, st)))


def message(n, flags, body, who):
    prefix, theirs, mine = (b"CurveZMQMESSAGEC", ST, ct) if who == "client" else (b"CurveZMQMESSAGES", CT, st)
    say(who, "MESSAGE", frame(b"\7MESSAGE" + short(n) + box(bytes([flags]) + body, prefix + short(n), theirs, mine), 0))


message(3, 0, b"", "client")
message(2, 0, b"x" * 31, "server")
message(4, 1, b"more", "client")
message(5, 0, bytes(range(256)) * 4, "client")
message(6, 2, b"\4PING\0\x32", "client")
message(3, 2, b"\4PONG", "server")
