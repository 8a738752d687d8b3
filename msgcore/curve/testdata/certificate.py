"""Reads a certificate with pyzmq and, if it is installed, with CZMQ."""

import ctypes
import ctypes.util
import sys

import zmq.auth

path = sys.argv[1]
public, _ = zmq.auth.load_certificate(path)
again, secret = zmq.auth.load_certificate(path + "_secret")
assert public == again
print("pyzmq", public.decode(), secret.decode())

name = ctypes.util.find_library("czmq")
if name:
    czmq = ctypes.CDLL(name)
    czmq.zcert_load.restype = ctypes.c_void_p
    czmq.zcert_load.argtypes = [ctypes.c_char_p]
    for f in czmq.zcert_public_txt, czmq.zcert_secret_txt, czmq.zcert_meta:
        f.restype = ctypes.c_char_p
    czmq.zcert_public_txt.argtypes = czmq.zcert_secret_txt.argtypes = [ctypes.c_void_p]
    czmq.zcert_meta.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    cert = czmq.zcert_load(path.encode())
    assert cert
    print("czmq", czmq.zcert_public_txt(cert).decode(), czmq.zcert_secret_txt(cert).decode())
    print(czmq.zcert_meta(cert, b"name").decode())
    print(czmq.zcert_meta(cert, b"email").decode())
