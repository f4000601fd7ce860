#!/usr/bin/env python3
"""Is the fake engine like the real one?  Sends the recorded requests of
tests/wire/docker to tests/tools/fake_engine.py and compares: status, names of
headers, the words of refusals, and the type of every JSON member.

usage: docker_fake.py SOCKET     prints TAP, one test per recording
"""
import glob
import json
import os
import re
import socket
import sys

NODE = {"name": "mt-control-plane", "image": "meshtop/node:v1.34.4", "state": "running",
        "network": "kind", "volume": True, "tty": True, "ports": {"6443/tcp": 33951},
        "labels": {"io.x-k8s.kind.cluster": "mt", "io.x-k8s.kind.role": "control-plane"},
        "files": {"/kind/version": "v1.34.4"}, "logs": ["one"]}
REGISTRY = "127.0.0.1:32768/crossplane-contrib/function-auto-ready"
# What was in the state of the real engine, or on its command line, only.
LEFT_OUT = {
    "50": "a time that is over", "51": "a time that is over", "06": "a version below the oldest", "19": "the host of the lookup is the same",
    "26": "top", "27": "stats", "38": "no request body is kept whole",
    "52": "never ends", "53": "HEAD of an archive", "57": "a path without headers",
    "59": "chunks as they came", "67": "push", "68": "needs an archive", "69": "needs an archive",
    "80": "a registry that breaks", "81": "a registry that breaks", "82": "a registry that breaks",
    "83": "never ends", "20": "a port nobody listens at"}
# Made by the request before it in the real conversation.
EXECS = {"29", "30", "31", "33", "34", "60", "61", "62"}


def recording(path):
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    notes = [l[2:] for l in text.split("\n") if l.startswith("# ")]
    rest = text[sum(len(l) + 1 for l in text.split("\n\n")[0].split("\n") if l.startswith("#")):]
    head, _, body = rest.partition("\n\n")
    asked = [n[6:] for n in notes if n.startswith("body: ")]
    method, target = notes[0].split(" ")[:2]
    return method, target, (asked or [""])[0], head.split("\n"), body


def ask(where, method, target, body):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(where)
    s.sendall(("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
               % (method, target, len(body), body)).encode())
    raw = b""
    while True:
        piece = s.recv(65536)
        if not piece:
            break
        raw += piece
    head, _, rest = raw.partition(b"\r\n\r\n")
    if b"Transfer-Encoding: chunked" in head:
        whole = b""
        while rest:
            n, _, rest = rest.partition(b"\r\n")
            whole, rest = whole + rest[:int(n, 16)], rest[int(n, 16) + 2:]
        rest = whole
    return head.decode().split("\r\n"), rest.decode("utf-8", "replace")


def names(head):
    """Of the headers; how the body ends is the transport's business."""
    return [l.split(":")[0] for l in head[1:] if l.split(":")[0] not in
            ("Content-Length", "Transfer-Encoding")]


def plain(text):
    text = re.sub(r"[0-9a-f]{64}", "ID", text)
    return re.sub(r"\b[0-9a-f]{12}\b", "ID", text)


def differences(real, fake, at=""):
    """Members of the fake's that the real one has not, or of another type."""
    kinds = {bool: "bool", int: "number", float: "number", str: "text", list: "list",
             dict: "object", type(None): "null"}
    a, b = kinds[type(real)], kinds[type(fake)]
    if "null" in (a, b):
        return []
    if a != b:
        return ["%s is %s, not %s" % (at or "it", b, a)]
    found = []
    if a == "object":
        for key in fake:
            if key in real:
                found += differences(real[key], fake[key], at + "." + key)
            elif not re.search(r"Labels|Attributes|Networks|Containers|Ports|PortBindings", at):
                found.append("%s.%s is not in the recording" % (at, key))
    elif a == "list" and real and fake:
        for f in fake:
            best = min((differences(r, f, at + "[]") for r in real), key=len)
            found += best
    return found


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def prepare(where):
    def make(what, value):
        ask(where, "POST", "/_fake/" + what, json.dumps(value))
    make("containers", NODE)
    make("containers", {"name": "mt-registry", "state": "running", "network": "kind"})
    make("containers", {"name": "mtvec3", "state": "exited", "exit_code": 7,
                        "logs": ["one", ["stderr", "two"]]})
    for ref in "meshtop/node:v1.34.4", "localhost:1/x/y:1":
        make("images", {"ref": ref, "digest": "sha256:" + "1" * 64})
    make("registry", {"ref": REGISTRY + ":v0", "layers": [634, 13963585]})
    make("registry", {"ref": REGISTRY + ":v9", "error": "manifest for " + REGISTRY +
                      ":v9 not found: manifest unknown: Unknown manifest"})
    make("registry", {"ref": "127.0.0.1:32768/x/nope:v9", "error": "repository "
                      "127.0.0.1:32768/x/nope not found: name unknown: Unknown name"})


def compare(where, number, path):
    method, target, body, head, text = recording(path)
    got, answer = ask(where, method, target, body)
    wrong = []
    if got[0] != head[0]:
        wrong.append("status: %s, not %s" % (got[0], head[0]))
    ours, theirs = names(got), names(head)
    if sorted(ours) != sorted(theirs):
        wrong.append("headers: %s, not %s" % (ours, theirs))
    real, fake = parsed(text), parsed(answer)
    if isinstance(real, dict) and set(real) == {"message"}:
        if plain(text.strip()) != plain(answer.strip()):
            wrong.append("words: %s, not %s" % (answer.strip(), text.strip()))
    elif real is not None:
        wrong += differences(real, fake) if fake is not None else ["no JSON: " + answer[:80]]
    return wrong


def main():
    where = sys.argv[1]
    prepare(where)
    n = 0
    for path in sorted(glob.glob("tests/wire/docker/*.http")):
        number = os.path.basename(path)[:2]
        if number in LEFT_OUT or number in EXECS or number > "89":
            continue
        if number == "40":
            ask(where, "POST", "/_fake/containers", json.dumps(
                {"name": "mtvec", "ends": 7, "logs": [["stderr", "two"], "one", "three"]}))
            ask(where, "POST", "/containers/mtvec/start", "")
        if number == "72":
            ask(where, "POST", "/containers/mt-control-plane/stop", "")
        if number == "75":
            ask(where, "POST", "/containers/mt-control-plane/start", "")
        n += 1
        wrong = compare(where, number, path)
        print("%sok %d - fake engine: %s" % ("not " if wrong else "", n, os.path.basename(path)))
        for w in wrong[:6]:
            print("# " + w)
    print("1..%d" % n)


if __name__ == "__main__":
    main()
