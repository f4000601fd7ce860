#!/usr/bin/env python3
"""A proxy that does everything wrong, between a live copy and an API server.

usage: hostile.py KUBECONFIG KUBE_TOOL NAMESPACE SEED ROUNDS

Starts `KUBE_TOOL watch` (tests/tools/kube.c) behind the proxy, writes
ConfigMaps at random past it, and breaks what goes through in a way drawn for
each answer: cut, trickled, garbled, padded to a line of 1 GiB, bombed with gzip,
refused. After each round the proxy behaves: then what the tool told, replayed,
must equal the server's own list, and its memory must not have grown. Prints TAP.
"""
import base64
import gzip
import http.client
import json
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

MIB = 1 << 20
MEMORY_MIB = 64
FORMS = [["stream"], ["plain"], ["meta"], ["table"], ["plain", "table"]]


class Upstream:
    """The server, as a kubeconfig names it."""

    def __init__(self, path):
        text = open(path).read()

        def value(key):
            m = re.search(key + r': *"?([^\s"},]+)', text)
            return m.group(1) if m else None

        url = urllib.parse.urlparse(value("server"))
        self.host, self.port = url.hostname, url.port
        self.tls = ssl.create_default_context()
        ca = value("certificate-authority-data")
        ca_file = value("certificate-authority")
        if ca:
            self.tls.load_verify_locations(cadata=base64.b64decode(ca).decode())
        elif ca_file:
            self.tls.load_verify_locations(ca_file)
        else:
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE
        self.headers = {}
        if value("token"):
            self.headers["Authorization"] = "Bearer " + value("token")
        cert, key = value("client-certificate-data"), value("client-key-data")
        if cert and key:
            with tempfile.NamedTemporaryFile() as f:
                f.write(base64.b64decode(cert) + b"\n" + base64.b64decode(key))
                f.flush()
                self.tls.load_cert_chain(f.name)
        elif value("client-certificate"):
            self.tls.load_cert_chain(value("client-certificate"),
                                     value("client-key"))

    def connect(self):
        return http.client.HTTPSConnection(self.host, self.port,
                                           context=self.tls, timeout=30)

    def ask(self, method, path, body=None, kind="application/json"):
        c = self.connect()
        headers = dict(self.headers)
        if body is not None:
            headers["Content-Type"] = kind
        c.request(method, path, json.dumps(body) if body is not None else None,
                  headers)
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, json.loads(data) if data[:1] == b"{" else {}


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


class Proxy:
    """One answer at a time goes through `plan`, drawn when it begins."""

    WAYS = ["cut", "cut", "cut", "trickle", "garbage", "length", "chunks",
            "line", "bomb", "deep", "storm", "double", "half", "good", "good"]

    def __init__(self, upstream, rng):
        self.up, self.rng = upstream, rng
        self.peace = False
        self.force = None
        self.sockets = set()
        self.used = set()
        self.lock = threading.Lock()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            s, _ = self.listener.accept()
            with self.lock:
                self.sockets.add(s)
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def hang_up(self):
        with self.lock:
            gone, self.sockets = self.sockets, set()
        for s in gone:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def draw(self):
        with self.lock:
            if self.peace:
                return "good", 0
            way = self.force or self.rng.choice(self.WAYS)
            self.force = None
            self.used.add(way)
            return way, self.rng.randrange(1, 6000)

    def serve(self, s):
        try:
            while self.one(s):
                pass
        except OSError:
            pass
        finally:
            with self.lock:
                self.sockets.discard(s)
            s.close()

    def one(self, s):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = s.recv(65536)
            if not piece:
                return False
            head += piece
        lines = head.split(b"\r\n")
        path = lines[0].split()[1].decode()
        headers = dict(self.up.headers)
        for line in lines[1:]:
            if line.lower().startswith(b"accept:"):
                headers["Accept"] = line.split(b":", 1)[1].strip().decode()
        way, at = self.draw()
        if way == "storm":
            return self.storm(s, at)
        if way in ("bomb", "line", "deep", "garbage"):
            return self.attack(s, way)
        c = self.up.connect()
        try:
            c.request("GET", path, None, headers)
            r = c.getresponse()
            return self.relay(s, c, r, way, at)
        finally:
            c.close()

    def storm(self, s, at):
        status = [401, 403, 404, 409, 410, 429, 429, 500, 502, 503][at % 10]
        body = b'{"kind":"Status","code":%d,"message":"storm"}' % status
        if status == 429 and at % 2:
            body = b"Too many requests, please try again later."
        s.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s"
                  % (status, len(body), body))
        return True

    def attack(self, s, way):
        """An answer that the server never gave."""
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                  b"Connection: close\r\n"
                  + (b"Content-Encoding: gzip\r\n" if way == "bomb" else b"")
                  + b"\r\n")
        if way == "bomb":
            zeros = gzip.compress(b'{"type":"ADDED","object":{"x":"'
                                  + b"0" * (256 * MIB), 1)
            s.sendall(zeros)
        elif way == "line":
            s.sendall(b'{"type":"ADDED","object":{"x":"')
            for _ in range(1024):
                s.sendall(b"x" * MIB)
        elif way == "deep":
            s.sendall(b'{"type":"ADDED","object":' + b"[" * (3 * MIB) + b"\n")
        else:
            s.sendall(os.urandom(100000))
        return False

    def relay(self, s, c, r, way, at):
        length = None if r.chunked else r.getheader("Content-Length")
        s.sendall(b"HTTP/1.1 %d X\r\nContent-Type: %s\r\n%s\r\n" % (
            r.status, r.getheader("Content-Type", "").encode(),
            b"Transfer-Encoding: chunked\r\n" if length is None else
            b"Content-Length: %d\r\n" % (int(length) + (
                99 if way == "length" else 0))))
        wrap = chunk if length is None else (lambda data: data)
        sent, kept = 0, b""
        while True:
            piece = r.read1(65536)
            if not piece:
                break
            if way == "cut" and sent + len(piece) > at:
                s.sendall(wrap(piece[:at - sent]))
                return False
            if way == "chunks" and sent + len(piece) > at:
                s.sendall(b"nonsense\r\n" + piece)
                return False
            if way == "half" and sent + len(piece) > at:
                time.sleep(0.2)
                return False
            if way == "trickle":
                for i in range(0, min(len(piece), 3000)):
                    s.sendall(wrap(piece[i:i + 1]))
                s.sendall(wrap(piece[3000:]))
            elif way == "double" and length is None and kept:
                s.sendall(wrap(piece) + wrap(kept))
            else:
                s.sendall(wrap(piece))
            sent += len(piece)
            kept = piece if piece.endswith(b"\n") else b""
        if length is None:
            s.sendall(b"0\r\n\r\n")
        return way != "length"


class Copy:
    """The tool behind the proxy; what it told, replayed."""

    def __init__(self, tool, port, ns, form, folder):
        config = os.path.join(folder, "proxy.kc")
        with open(config, "w") as f:
            json.dump({"apiVersion": "v1", "kind": "Config",
                       "current-context": "x",
                       "contexts": [{"name": "x", "context":
                                     {"cluster": "x", "user": "x"}}],
                       "clusters": [{"name": "x", "cluster":
                                     {"server": "http://127.0.0.1:%d" % port}}],
                       "users": [{"name": "x", "user": {}}]}, f)
        self.p = subprocess.Popen(
            [tool, "--kubeconfig", config, "watch", "-", "v1", "configmaps",
             ns] + form, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.objects, self.wrong, self.state = {}, None, "SYNCING"
        self.unexplained = 0
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.p.stdout:
            words = line.decode(errors="replace").split()
            if words[0] == "STATE":
                self.state = words[1]
                self.unexplained += words[1] == "STALE" and len(words) < 4
                continue
            key, version = words[1], words[-1]
            if (key in self.objects) == (words[0] == "ADDED"):
                self.wrong = self.wrong or line.decode()
            if words[0] == "DELETED":
                self.objects.pop(key, None)
            else:
                self.objects[key] = version

    def retry(self):
        self.p.stdin.write(b"\n")
        self.p.stdin.flush()

    def memory_mib(self):
        text = open("/proc/%d/status" % self.p.pid).read()
        return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) / 1024

    def end(self):
        self.p.stdin.close()
        return self.p.wait(10)


def write(up, rng, ns):
    path = "/api/v1/namespaces/%s/configmaps" % ns
    name = "h%d" % rng.randrange(8)
    what = rng.randrange(3)
    if what == 0:
        up.ask("DELETE", path + "/" + name)
    elif what == 1:
        up.ask("POST", path, {"metadata": {"name": name},
                              "data": {"a": "x" * rng.randrange(3000)}})
    else:
        up.ask("PATCH", path + "/" + name, {"data": {"n": str(rng.random())}},
               "application/merge-patch+json")


def listed(up, ns):
    _, body = up.ask("GET", "/api/v1/namespaces/%s/configmaps" % ns)
    return {ns + "/" + i["metadata"]["name"]:
            "v=" + i["metadata"]["resourceVersion"]
            for i in body.get("items", [])}


def one_round(up, proxy, rng, tool, ns, form, folder):
    """What went wrong, or None."""
    copy = Copy(tool, proxy.port, ns, form, folder)
    try:
        for i in range(40):
            write(up, rng, ns)
            if i % 7 == 6:
                proxy.hang_up()
            if i % 3 == 0:
                copy.retry()
        proxy.peace = True
        proxy.hang_up()
        end = time.time() + 60
        while time.time() < end:
            copy.retry()
            if copy.state == "LIVE" and copy.objects == listed(up, ns):
                break
            time.sleep(0.05)
        else:
            return "%s %s != %s" % (copy.state, copy.objects, listed(up, ns))
        if copy.wrong:
            return "told out of turn: " + copy.wrong
        if copy.unexplained:
            return "stale without a reason"
        if copy.memory_mib() > MEMORY_MIB:
            return "%d MiB" % copy.memory_mib()
        return None
    finally:
        proxy.peace = False
        copy.end()


def main():
    config, tool, ns, seed, rounds = sys.argv[1:6]
    rng = random.Random(int(seed))
    up = Upstream(config)
    proxy = Proxy(up, rng)
    n = 0
    up.ask("POST", "/api/v1/namespaces", {"metadata": {"name": ns}})
    with tempfile.TemporaryDirectory() as folder:
        plan = [(w, f) for w in sorted(set(Proxy.WAYS) - {"good"})
                for f in FORMS[:1]]
        plan += [(None, FORMS[i % len(FORMS)]) for i in range(int(rounds))]
        for way, form in plan:
            n += 1
            proxy.force = way
            wrong = one_round(up, proxy, rng, tool, ns, form, folder)
            print("%sok %d - %s, %s" % ("not " if wrong else "", n,
                                        way or "anything", " ".join(form)))
            if wrong:
                print("# seed %s: %s" % (seed, wrong))
            sys.stdout.flush()
    up.ask("DELETE", "/api/v1/namespaces/" + ns)
    print("1..%d" % n)


main()
