#!/usr/bin/env python3
"""Conversations with a Kubernetes API server: run, record, compare.

usage: converse.py record  KUBECONFIG SCRIPT            prints the conversation
       converse.py replay  KUBECONFIG FILE... [--all]   TAP, a test a request
       converse.py compare KUBECONFIG KUBECONFIG FILE.. TAP: the first is right

A file is what was said, as in tests/wire/kubeapi: lines that begin with ">"
are sent (request line, headers, an empty line, body), lines that begin with
"<" came back, "#" is a comment. A script is the same without answers, and a
recorded file is a script too (its answers are ignored by record and compare).
Header lines Host, Authorization: Bearer <token>, Connection are put in here.
Lines that begin with "@" say what happens around the next request:
  @as NAME              another user: KUBECONFIG.NAME, or "nobody" (no token)
  @open                 the next request is a watch that stays open while the
                        following requests run; its lines are read to its end
                        at @read
  @read [N]             reads that watch to its end (its timeoutSeconds), or N
                        lines of it
  @until REGEX          asks the next request again until its answer matches
                        (20 s at most); the last answer counts
  @anything             the next answer is not compared: set-up that need not
                        be the same
  @status               of the next answer the status alone is compared
What no two servers share is not compared but must be shared consistently:
uids, resourceVersions, continue tokens, generated names, hashes: the value of
one side stands for one value of the other, and where a request repeats a value
that an answer gave, the other side's value is sent. Times are times.
"""
import base64
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

TIMES = {"creationTimestamp", "time", "deletionTimestamp", "firstTimestamp",
         "lastTimestamp", "eventTime", "lastTransitionTime", "renewTime",
         "acquireTime", "lastUpdateTime", "buildDate", "expirationTimestamp"}
PAIRED = {"uid", "resourceVersion", "continue", "storageVersionHash"}
QUIET = {"audit-id", "date", "content-length", "host", "connection",
         "transfer-encoding", "etag", "x-kubernetes-pf-flowschema-uid",
         "x-kubernetes-pf-prioritylevel-uid"}
SENT = {"host", "connection", "content-length"}


# ---- files ----

def parse(path):
    """[{marks, comments, send: [lines], want: [lines]}] in order."""
    found, marks, comments, side = [], [], [], None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line[:1] == ">":
            if side != ">":
                found.append({"marks": marks, "comments": comments,
                              "send": [], "want": []})
                marks, comments, side = [], [], ">"
            found[-1]["send"].append(line[2:])
        elif line[:1] == "<":
            side = "<"
            found[-1]["want"].append(line[2:])
        elif line[:1] == "@":
            side = None
            marks.append(line[1:].split(None, 1))
            if marks[-1][0] == "read":
                found.append({"marks": marks, "comments": comments, "send": [], "want": []})
                marks, comments = [], []
        elif line[:1] == "#":
            side = None
            comments.append(line)
        elif not line:
            side = None
    return found


def split(lines):
    headers, i = [], 1
    while i < len(lines) and lines[i]:
        name, _, value = lines[i].partition(":")
        headers.append((name.strip(), value.strip()))
        i += 1
    return lines[0], headers, "\n".join(lines[i + 1:])


def mark(x, name):
    for m in x["marks"]:
        if m[0] == name:
            return m[1] if len(m) > 1 else ""
    return None


# ---- a server ----

class Server:
    def __init__(self, kubeconfig):
        self.file, self.users = kubeconfig, {}
        self.base = self.user("")["server"]

    def user(self, name):
        if name not in self.users:
            path = self.file + ("." + name if name and name != "nobody" else "")
            out = subprocess.run(["kubectl", "--kubeconfig", path, "config", "view",
                                  "--raw", "--minify", "-o", "json"],
                                 capture_output=True, check=True).stdout
            c = json.loads(out)
            u = c["users"][0]["user"] if c.get("users") else {}
            tls = ssl._create_unverified_context()
            if name != "nobody" and "client-certificate-data" in u:
                with tempfile.NamedTemporaryFile() as f:
                    f.write(base64.b64decode(u["client-certificate-data"]) + b"\n" +
                            base64.b64decode(u["client-key-data"]))
                    f.flush()
                    tls.load_cert_chain(f.name)
            self.users[name] = {"server": c["clusters"][0]["cluster"]["server"], "tls": tls,
                                "token": "" if name == "nobody" else u.get("token", "")}
        return self.users[name]

    def start(self, who, method, target, headers, body):
        url, user = urllib.parse.urlsplit(self.base), self.user(who)
        c = http.client.HTTPSConnection(url.hostname, url.port, timeout=90, context=user["tls"])
        c.putrequest(method, target, skip_accept_encoding=True, skip_host=True)
        given = {n.lower() for n, _ in headers}
        if "host" not in given or ("Host", "HOST") in headers:
            c.putheader("Host", url.netloc)
        if user["token"] and ("authorization" not in given or
                              ("Authorization", "Bearer <token>") in headers):
            c.putheader("Authorization", "Bearer " + user["token"])
        for n, v in headers:
            if not (n.lower() in SENT and v in ("HOST", "close", "")) and v != "Bearer <token>":
                c.putheader(n, v)
        if body or method in ("POST", "PUT", "PATCH"):
            c.putheader("Content-Length", str(len(body.encode())))
        c.putheader("Connection", "close")
        c.endheaders(body.encode() if body else None)
        return c.getresponse()


class Answer:
    """A head and the lines of its body, as far as they were read."""

    def __init__(self, r):
        self.r, self.start = r, time.monotonic()
        self.status, self.reason = r.status, r.reason
        self.headers = r.getheaders()
        self.stream = False
        self.lines, self.ended = [], False

    def header(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def read(self, lines=None):
        """The whole body, or so many lines of a stream."""
        self.stream = self.stream or lines is not None
        try:
            while lines is None or len(self.lines) < lines:
                line = self.r.readline()
                if not line:
                    self.ended = True
                    break
                self.lines.append((time.monotonic() - self.start,
                                   line.decode(errors="replace").rstrip("\n")))
        except (socket.timeout, http.client.HTTPException) as e:
            self.lines.append((time.monotonic() - self.start, f"(broken: {e})"))
        return self

    def text(self):
        return "\n".join(line for _, line in self.lines)


class Talk:
    """Says the exchanges of one file to one server, in order."""

    def __init__(self, server, pairs=None):
        self.server, self.opened = server, None
        self.pairs = pairs or Pairs()

    def say(self, x):
        """The answer to one exchange; None while a watch stays open."""
        if not x["send"]:
            return self.finish(x)
        head, headers, body = split([self.pairs.insert(v) for v in x["send"]])
        method, target = head.split()[:2]
        again, end = mark(x, "until"), time.monotonic() + 20
        while True:
            a = Answer(self.server.start(mark(x, "as") or "", method, target, headers, body))
            if mark(x, "open") is not None:
                a.stream, self.opened = True, (a, x)
                return None
            a.stream = "watch=" in target and a.status == 200
            a.read()
            if again is None or re.search(again, a.text()) or time.monotonic() > end:
                return a
            time.sleep(0.05)

    def finish(self, x):
        n = mark(x, "read")
        a, asked = self.opened
        self.opened = None
        a.read(int(n) if n else None)
        x["asked"] = asked
        return a


# ---- comparing ----

class Pairs:
    """Which value of the one server stands for which of the other."""

    def __init__(self):
        self.forward, self.back = {}, {}

    def same(self, want, got):
        if self.forward.get(want, got) != got or self.back.get(got, want) != want:
            return False
        self.forward[want], self.back[got] = got, want
        return True

    def insert(self, text):
        def put(m):
            return m.group(1) + self.forward.get(m.group(2), m.group(2))
        text = re.sub(r'((?:resourceVersion|continue)(?:=|": ?"))([^"&\s]+)', put, text)
        text = re.sub(r"()([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", put, text)
        return re.sub(r"()([a-z0-9.-]+-[bcdfghjklmnpqrstvwxz2456789]{5})\b", put, text)


class Compare:
    def __init__(self, pairs):
        self.pairs, self.out = pairs, []

    def bad(self, where, text):
        self.out.append(f"{where or 'body'}: {text}")

    def text(self, where, got, want):
        """Words: uids and revisions inside them are paired, times are times."""
        if got == want:
            return
        known = self.pairs.insert(want)
        for v in sorted(self.pairs.forward, key=len, reverse=True):
            if len(v) > 4:
                known = known.replace(v, self.pairs.forward[v])
        blur = [re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|127\.0\.0\.1:\d+|HOST", "*", v) for v in (got, known)]
        if blur[0] != blur[1] and not self.listed(blur[0], blur[1]):
            self.bad(where, f"got {got!r}, want {want!r}")

    @staticmethod
    def listed(got, want):
        """`is invalid: [a, b]` in any order."""
        g, w = (sorted(re.split(r", (?=[\w<.\[])", v.partition(" is invalid: [")[2][:-1])) for v in (got, want))
        return " is invalid: [" in want and g == w

    def value(self, where, key, got, want):
        if isinstance(want, dict) and isinstance(got, dict):
            for k in sorted(set(got) | set(want)):
                at = f"{where}.{k}" if where else k
                if k not in got:
                    self.bad(at, f"missing, want {json.dumps(want[k])[:300]}")
                elif k not in want:
                    self.bad(at, f"not expected: {json.dumps(got[k])[:300]}")
                else:
                    self.value(at, k, got[k], want[k])
        elif isinstance(want, list) and isinstance(got, list):
            if key == "causes":
                got, want = (sorted(v, key=lambda c: json.dumps(c, sort_keys=True)) for v in (got, want))
            if len(got) != len(want):
                self.bad(where, f"{len(got)} items, want {len(want)}: {json.dumps(got)[:300]} instead of {json.dumps(want)[:300]}")
            for i, (g, w) in enumerate(zip(got, want)):
                self.value(f"{where}[{i}]", key, g, w)
        elif isinstance(want, str) and isinstance(got, str):
            if key in TIMES and bool(got) == bool(want):
                return
            if key in PAIRED and want and got and not (key == "resourceVersion" and want == "0"):
                if not self.pairs.same(want, got):
                    self.bad(where, f"got {got!r} for {want!r}, which stood for {self.pairs.forward.get(want)!r}")
                return
            if key == "name" and re.search(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$", want) and got[:-5] == want[:-5]:
                self.pairs.same(want, got)
                return
            self.text(where, got, want)
        elif got != want or isinstance(got, bool) != isinstance(want, bool):
            self.bad(where, f"got {json.dumps(got)[:300]}, want {json.dumps(want)[:300]}")

    def headers(self, got, want):
        names = {n.lower() for n, _ in want} | {n.lower() for n, _ in got}
        for n in sorted(names - QUIET):
            g, w = ([v for k, v in side if k.lower() == n] for side in (got, want))
            if sorted(g) != sorted(w):
                self.bad(f"header {n}", f"got {g}, want {w}")

    def body(self, got, want):
        got, want = got.rstrip("\n"), want.rstrip("\n")
        cut = re.search(r"\.\.\. \(\d+ bytes in all\)$", want)
        if cut:
            return
        try:
            g, w = json.loads(got), json.loads(want)
        except ValueError:
            self.text("", got, want)
            return
        self.value("", "", g, w)


def recorded(x):
    """(status, headers, [lines], is it a stream) of a recorded answer."""
    head, headers, _ = split(x["want"])
    i = x["want"].index("") if "" in x["want"] else len(x["want"])
    lines = x["want"][i + 1:]
    stream = [m.group(1) for m in (re.match(r" *\d+\.\d{3} (.*)", v) for v in lines) if m]
    ended = any(v.startswith("(end of stream") for v in lines)
    plain = [v for v in lines if not re.match(r"\((items shown|end of stream)", v)]
    return int(head.split()[1]), headers, stream if stream or ended else plain, bool(stream or ended)


def check(a, status, headers, lines, stream, pairs, status_alone):
    c = Compare(pairs)
    if a.status != status:
        c.bad("status", f"got {a.status}, want {status}: {a.text()[:600]}")
        return c.out
    if status_alone:
        return c.out
    c.headers(a.headers, headers)
    got = [line for _, line in a.lines]
    if not stream:
        c.body("\n".join(got), "\n".join(lines))
        return c.out
    if len(got) != len(lines):
        c.bad("stream", f"{len(got)} lines, want {len(lines)}: {' '.join(v[:160] for v in got)}")
    for g, w in zip(got, lines):
        c.body(g, w)
    return c.out


def title(x):
    return x["send"][0].removesuffix(" HTTP/1.1")[:150]


def report(n, name, out):
    print(f"{'not ok' if out else 'ok'} {n} - {name}")
    for line in out:
        print("# " + line.replace("\n", "\n# "))
    sys.stdout.flush()


# ---- what the three do ----

def print_answer(a, server):
    def hide(v):
        return v.replace(urllib.parse.urlsplit(server.base).netloc, "HOST")
    print(f"< HTTP/1.1 {a.status} {a.reason}")
    for n, v in a.headers:
        if n.lower() != "connection":
            print(f"< {n}: {hide(v)}")
    print("<")
    for t, line in a.lines:
        print(f"< {t:6.3f} {hide(line)}" if a.stream else f"< {hide(line)}".rstrip())
    if a.stream and a.ended:
        print(f"< (end of stream at {time.monotonic() - a.start:.3f})")


def record(kubeconfig, path):
    talk = Talk(Server(kubeconfig))
    for x in parse(path):
        for line in x["comments"]:
            print(line)
        a = talk.say(x)
        for m in x["marks"]:
            print("@" + " ".join(m))
        for line in x["send"]:
            print(("> " + line).rstrip())
        if a:
            print_answer(a, talk.server)
        print()
        # later requests of a script that was recorded elsewhere repeat what
        # that server gave: they need what this one gives
        if a and x["want"] and not a.stream:
            c = Compare(talk.pairs)
            c.body(a.text(), "\n".join(recorded(x)[2]))


def replay(kubeconfig, files):
    n = bad = 0
    server = Server(kubeconfig)
    for path in files:
        talk = Talk(server)
        name = path.rsplit("/", 1)[-1].removesuffix(".txt")
        for x in parse(path):
            a = talk.say(x)
            if not a or not x["want"] or mark(x, "anything") is not None:
                continue
            n += 1
            out = check(a, *recorded(x), talk.pairs, mark(x, "status") is not None)
            report(n, f"{name}: {title(x.get('asked', x))}", out)
            bad += bool(out)
    print(f"1..{n}")
    return bad


def compare(right, other, files):
    n = bad = 0
    for path in files:
        one, two = Talk(Server(right)), Talk(Server(other))
        asked_one = Pairs()
        name = path.rsplit("/", 1)[-1].removesuffix(".txt")
        for x in parse(path):
            w, g = one.say(x), two.say(dict(x))
            if not w:
                continue
            if x["want"] and not w.stream:  # a recorded file: follow its values
                Compare(one.pairs).body(w.text(), "\n".join(recorded(x)[2]))
            if mark(x, "anything") is not None:
                Compare(asked_one).body(g.text(), w.text())
                continue
            n += 1
            out = check(g, w.status, w.headers, [v for _, v in w.lines], w.stream,
                        asked_one, mark(x, "status") is not None)
            # what a request of the script repeats is a value of `right`
            two.pairs.forward.update({k: asked_one.forward.get(v, v) for k, v in one.pairs.forward.items()})
            two.pairs.forward.update(asked_one.forward)
            report(n, f"{name}: {title(x.get('asked', x))}", out)
            bad += bool(out)
    print(f"1..{n}")
    return bad


def main():
    verb, rest = sys.argv[1:2], sys.argv[2:]
    if verb == ["record"] and len(rest) == 2:
        record(*rest)
        sys.exit(0)
    if verb == ["replay"] and len(rest) >= 2:
        sys.exit(1 if replay(rest[0], rest[1:]) else 0)
    if verb == ["compare"] and len(rest) >= 3:
        sys.exit(1 if compare(rest[0], rest[1], rest[2:]) else 0)
    print(__doc__)
    sys.exit(2)


if __name__ == "__main__":
    main()
