#!/usr/bin/env python3
"""Replays conversations with a Kubernetes API server (tests/wire/*.http).

usage: replay.py URL TOKEN FILE...      prints TAP, one test per request

A file is a list of exchanges: lines that begin with "> " are sent (request
line, headers, an empty line, body), lines that begin with "< " are expected
(status line, headers to be there, an empty line, body). "#" is a comment.
Bodies are JSON; what no two servers share is not compared: uids, times,
resourceVersions, tokens. `{name=}` in an expected string captures, `{name}` in
a request inserts. Bodies of streams are one JSON value a line. An expected
body of `*` matches anything, `"..."` as a string matches any value, `"^text"`
one that begins with text.
"""
import http.client
import json
import re
import ssl
import sys
import urllib.parse

UNSHARED = {"uid", "creationTimestamp", "time", "deletionTimestamp",
            "resourceVersion", "lastTransitionTime", "continue"}
captured = {}


def exchanges(path):
    found, side = [], None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line[:2] == "> " or line == ">":
            if side != ">":
                found.append({"send": [], "want": []})
                side = ">"
            found[-1]["send"].append(line[2:])
        elif line[:2] == "< " or line == "<":
            side = "<"
            found[-1]["want"].append(line[2:])
    return found


def split(lines):
    head = lines[0]
    headers, i = [], 1
    while i < len(lines) and lines[i]:
        name, _, value = lines[i].partition(":")
        headers.append((name.strip(), value.strip()))
        i += 1
    return head, headers, "\n".join(lines[i + 1:])


def insert(text):
    return re.sub(r"\{([a-z0-9_]+)\}", lambda m: captured.get(m.group(1), m.group(0)), text)


def call(base, token, method, target, headers, body):
    url = urllib.parse.urlsplit(base)
    c = http.client.HTTPSConnection(url.hostname, url.port, timeout=20,
                                    context=ssl._create_unverified_context())
    c.putrequest(method, target, skip_accept_encoding=True)
    names = {n.lower() for n, _ in headers}
    if "authorization" not in names:
        c.putheader("Authorization", "Bearer " + token)
    for n, v in headers:
        if v:
            c.putheader(n, v)
    if body or method in ("POST", "PUT", "PATCH"):
        c.putheader("Content-Length", str(len(body.encode())))
    c.endheaders(body.encode() if body else None)
    r = c.getresponse()
    return r.status, r.headers, r.read().decode()


def same(got, want, where, out):
    if want == "...":
        return
    if isinstance(want, str) and isinstance(got, str):
        m = re.fullmatch(r"\{([a-z0-9_]+)=\}", want)
        if m:
            captured[m.group(1)] = got
            return
        if want[:1] == "^" and got.startswith(insert(want[1:])):
            return
        if got != insert(want):
            out.append(f"{where}: got {got!r}, want {insert(want)!r}")
    elif isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(set(got) | set(want)):
            if key in UNSHARED and not (isinstance(want.get(key), str) and "{" in want[key]):
                if (key in got) != (key in want):
                    out.append(f"{where}.{key}: {'not expected' if key in got else 'missing'}")
                continue
            if key in ("kind", "apiVersion") and key not in want and ".items[" in where:
                continue
            if key not in got:
                out.append(f"{where}.{key}: missing, want {json.dumps(want[key])[:200]}")
            elif key not in want:
                out.append(f"{where}.{key}: not expected: {json.dumps(got[key])[:200]}")
            elif key == "causes":
                plain = lambda v: sorted({json.dumps(c, sort_keys=True) for c in v})
                if plain(got[key]) != plain(want[key]):
                    out.append(f"{where}.causes: got {plain(got[key])}, want {plain(want[key])}")
            elif key == "message" and "is invalid: [" in str(want[key]):
                plain = lambda v: sorted(v.partition(" is invalid: [")[2][:-1].split(", "))
                if plain(got[key]) != plain(want[key]):
                    out.append(f"{where}.message: got {got[key]!r}, want {want[key]!r}")
            else:
                same(got[key], want[key], f"{where}.{key}", out)
    elif isinstance(want, list) and isinstance(got, list):
        if len(got) != len(want):
            out.append(f"{where}: {len(got)} items, want {len(want)}")
        for i, (g, w) in enumerate(zip(got, want)):
            same(g, w, f"{where}[{i}]", out)
    elif got != want or isinstance(got, bool) != isinstance(want, bool):
        out.append(f"{where}: got {got!r}, want {want!r}")


def compare(body, want, out):
    if want.strip() == "*":
        return
    try:
        expected = [json.loads(v) for v in want.splitlines() if v.strip()]
        if want.strip() and (want.strip()[0] == "{" and want.count("\n") and not want.startswith('{"')):
            expected = [json.loads(want)]
    except ValueError:
        try:
            expected = [json.loads(want)]
        except ValueError:
            if body.strip() != want.strip():
                out.append(f"body: got {body!r}, want {want!r}")
            return
    try:
        got = [json.loads(body)] if body.strip() else []
    except ValueError:
        got = [json.loads(v) for v in body.splitlines() if v.strip()]
    if len(got) != len(expected):
        out.append(f"{len(got)} values, want {len(expected)}: {body[:400]}")
    for g, w in zip(got, expected):
        same(g, w, "", out)


def main():
    base, token, n, bad = sys.argv[1], sys.argv[2], 0, 0
    for path in sys.argv[3:]:
        for x in exchanges(path):
            n += 1
            head, headers, body = split([insert(v) for v in x["send"]])
            method, target = head.split()[:2]
            status, got_headers, text = call(base, token, method, target, headers, body)
            want_head, want_headers, want_body = split(x["want"])
            want_status = int(re.search(r"\b\d{3}\b", want_head).group(0))
            out = []
            if status != want_status:
                out.append(f"status {status}, want {want_status}: {text[:400]}")
            for name, value in want_headers:
                if value not in (got_headers.get_all(name) or []):
                    out.append(f"header {name}: got {got_headers.get_all(name)}, want {value}")
            compare(text, want_body, out)
            name = path.rsplit("/", 1)[-1].removesuffix(".http")
            print(f"{'not ok' if out else 'ok'} {n} - {name}: {method} {target[:90]}")
            for line in out:
                print("# " + line)
            bad += bool(out)
    print(f"1..{n}")
    sys.exit(1 if bad else 0)


main()
