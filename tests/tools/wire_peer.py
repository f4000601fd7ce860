#!/usr/bin/env python3
"""wire_peer - a server over TLS, or a proxy, that does one thing wrong.

  wire_peer.py serve [--cert C --key K] [--client-ca CA]   HTTP/1.1, says its port
  wire_peer.py proxy http|socks5 --log F [--cert C --key K] [--auth user:pass]

serve answers each path: /echo the request's head as JSON, /gzip a JSON text in
gzip, /bomb 2 GiB of zeros in gzip, /cut a head and half a body, /html 502 with a
page, anything else {}. Its port is the first line of standard output; it ends
with its standard input.
"""
import argparse
import json
import socket
import ssl
import struct
import sys
import threading
import zlib


def gzip_of(pieces):
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([z.compress(p) for p in pieces] + [z.flush()])


BOMB = None


def bomb():
    global BOMB
    if BOMB is None:
        BOMB = gzip_of(bytes(1 << 20) for _ in range(256))
    return BOMB


def read_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = s.recv(65536)
        if not piece:
            return None
        data += piece
        if data[0] == 0x16:  # a TLS hello where none is due
            reply(s, 400, "", b"")
            return None
    return data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")


def reply(s, status, head, body):
    s.sendall(f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def serve_one(s):
    while True:
        lines = read_head(s)
        if not lines:
            return
        path = lines[0].split()[1]
        plain = "Content-Type: application/json\r\n"
        if path == "/echo":
            reply(s, 200, plain, json.dumps(lines).encode())
        elif path == "/gzip":
            reply(s, 200, plain + "Content-Encoding: gzip\r\n", gzip_of([b'{"packed":true}']))
        elif path == "/bomb":
            reply(s, 200, plain + "Content-Encoding: gzip\r\n", bomb())
        elif path == "/html":
            reply(s, 502, "Content-Type: text/html\r\n", b"<html><h1>Bad Gateway</h1></html>")
        elif path == "/cut":
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            return
        else:
            reply(s, 200, plain, b"{}")


def pump(a, b):
    try:
        while piece := a.recv(65536):
            if a is not b:
                b.sendall(piece)
    except OSError:
        pass
    for x in (a, b):
        try:
            x.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def tunnel(s, host, port, done):
    # Names of tests are this machine.
    out = socket.create_connection(("127.0.0.1" if host.endswith(".test") else host, port))
    s.sendall(done)
    threading.Thread(target=pump, args=(out, s), daemon=True).start()
    pump(s, out)


def http_proxy(s, o):
    lines = read_head(s)
    if not lines:
        return
    note(o, lines[0])
    if o.auth:
        import base64
        want = "basic " + base64.b64encode(o.auth.encode()).decode()
        if not any(l.lower() == ("proxy-authorization: " + want).lower() for l in lines):
            reply(s, 407, "", b"who are you?")
            return
    host, port = lines[0].split()[1].rsplit(":", 1)
    tunnel(s, host.strip("[]"), int(port), b"HTTP/1.1 200 OK\r\n\r\n")


def socks_proxy(s, o):
    def need(n):
        data = b""
        while len(data) < n:
            piece = s.recv(n - len(data))
            if not piece:
                raise OSError("gone")
            data += piece
        return data

    need(need(2)[1])
    s.sendall(b"\x05\x00")
    kind = need(4)[3]
    if kind == 3:
        host = need(need(1)[0]).decode()
    else:
        host = socket.inet_ntoa(need(4)) if kind == 1 else socket.inet_ntop(socket.AF_INET6, need(16))
    port = struct.unpack(">H", need(2))[0]
    note(o, f"SOCKS {'name' if kind == 3 else 'address'} {host}:{port}")
    tunnel(s, host, port, b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")


def note(o, text):
    with open(o.log, "a", encoding="utf-8") as f:
        f.write(text + "\n")


def handle(s, context, o):
    raw = s.dup()
    try:
        if context:
            s = context.wrap_socket(s, server_side=True)
        if o.mode == "serve":
            serve_one(s)
        elif o.kind == "http":
            http_proxy(s, o)
        else:
            socks_proxy(s, o)
    except (OSError, ssl.SSLError):
        pass
        raw.settimeout(5)
        pump(raw, raw)  # what comes yet, so that our alert is read
    finally:
        s.close()
        raw.close()


def accept(listener, context, o):
    while True:
        s, _ = listener.accept()
        threading.Thread(target=handle, args=(s, context, o), daemon=True).start()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("mode", choices=["serve", "proxy"])
    p.add_argument("kind", nargs="?", default="http")
    p.add_argument("--cert")
    p.add_argument("--key")
    p.add_argument("--client-ca")
    p.add_argument("--log")
    p.add_argument("--auth")
    o = p.parse_args()
    context = None
    if o.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(o.cert, o.key)
        if o.client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(o.client_ca)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(listener, context, o), daemon=True).start()
    sys.stdin.read()


main()
