#!/usr/bin/env python3
"""Conversations with a Kubernetes API server: run, record, compare.

usage: converse.py record  KUBECONFIG SCRIPT            prints the conversation
       converse.py replay  KUBECONFIG FILE...           TAP, a test a request
       converse.py compare KUBECONFIG KUBECONFIG FILE.. TAP: the first is right
       options: --allowed FILE  differences that are right, each with its reason
                --restart CMD   what @restart runs; without it such files are
                                skipped
                --clean         afterwards deletes what the file made at the
                                cluster's level, and waits for its end

A file is what was said, as in tests/wire/kubeapi: lines that begin with ">"
are sent (request line, headers, an empty line, body), lines that begin with
"<" came back, "#" is a comment. A script is the same without answers, and a
recorded file is a script too (its answers are ignored by record and compare).
Header lines Host, Authorization: Bearer <token>, Connection are put in here.
Lines that begin with "@" say what happens around the next request:
  @as NAME              another user: KUBECONFIG.NAME (a file of
                        one context), or "nobody" (no token)
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
  @now VALUE            the newest resourceVersion stands for VALUE, which a
                        recording says
  @uid VALUE [VERSION]  uid (and resourceVersion) of the last answer stand for
                        these of a recording
  @is VALUE OTHER       VALUE of a recording is OTHER here: a revision that any
                        server has forgotten
  @restart              the server forgets its past: --restart
What a recording does not say stands beside it in NAME.setup: scripts whose
answers are not compared, each below a line that says when it is run:
  = before N            before the Nth request of the recording
  = during N            while that request, a watch, is open
  = early N M           that request, a watch, is opened before the Mth, and
                        read in its place
and lines that say how requests of the recording are asked:
  = as NAME N-M         by that user
  = until N REGEX       again, as @until
Allowed differences are lines "FILE | REQUEST | DIFFERENCE | reason" (regular
expressions; FILE "*" is any): one that does not happen fails, unless its
reason begins with "open:", which is what somebody is about to mend.
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

from same import Compare, Pairs

SENT = {"host", "connection", "content-length"}


# ---- files ----

def parse(path):
    """[{marks, comments, send: [lines], want: [lines]}] in order."""
    with open(path, encoding="utf-8") as f:
        return parse_lines(f.read().split("\n"))


def parse_lines(lines):
    found, marks, comments, side = [], [], [], None
    for line in lines:
        if line[:1] == ">":
            if side != ">":
                found.append({"marks": marks, "comments": comments,
                              "send": [], "want": []})
                marks, comments, side = [], [], ">"
            found[-1]["send"].append(line[2:])
        elif line[:1] == "<":
            if side is None and found and found[-1]["want"]:
                continue  # told without a request
            side = "<"
            found[-1]["want"].append(line[2:])
        elif line[:1] == "@":
            side = None
            marks.append(line[1:].split(None, 1))
            if marks[-1][0] in ("read", "now", "is", "uid", "restart"):
                found.append({"marks": marks, "comments": comments, "send": [], "want": []})
                marks, comments = [], []
        elif line[:1] == "#":
            side = None
            comments.append(line)
        elif not line:
            side = None
    return found


def beside(path):
    """What NAME.setup says: (scripts by (when, N), marks by N)."""
    scripts, marks, part = {}, {}, None
    try:
        text = open(path.removesuffix(".txt") + ".setup", encoding="utf-8").read()
    except OSError:
        return scripts, marks
    for line in text.split("\n"):
        words = line.split(None, 3)
        if line[:2] == "= " and words[1] in ("before", "during"):
            part = scripts.setdefault((words[1], int(words[2])), [])
        elif line[:2] == "= " and words[1] == "as":
            first, _, last = words[3].partition("-")
            for n in range(int(first), int(last or first) + 1):
                marks.setdefault(n, []).append(["as", words[2]])
        elif line[:2] == "= " and words[1] == "early":
            marks.setdefault(int(words[2]), []).append(["early", words[3]])
        elif line[:2] == "= ":
            marks.setdefault(int(words[2]), []).append([words[1], words[3]])
        elif part is not None:
            part.append(line)
    return {k: parse_lines(v) for k, v in scripts.items()}, marks


def load(path):
    """The exchanges of a file with what stands beside it."""
    (scripts, marks), found, exchanges = beside(path), [], parse(path)
    opened = {}
    for n, x in enumerate(exchanges, 1):
        x["marks"] += marks.get(n, [])
        if mark(x, "early"):
            opened[int(mark(x, "early"))] = dict(x, marks=x["marks"] + [["open"]], want=[])
            exchanges[n - 1] = {"marks": [["read"]], "comments": [], "send": [], "want": x["want"]}
    for n, x in enumerate(exchanges, 1):
        for s in scripts.get(("before", n), []):
            s["marks"].append(["anything"])
            found.append(s)
        if n in opened:
            found.append(opened[n])
        found.append(x)
        if ("during", n) in scripts:
            x["marks"].append(["open"])
            for s in scripts[("during", n)]:
                s["marks"].append(["anything"])
                found.append(s)
            found.append({"marks": [["read"]], "comments": [], "send": [], "want": x["want"]})
            x["want"] = []
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
    restart = None  # the command of @restart

    def __init__(self, kubeconfig):
        self.file, self.users = kubeconfig, {}
        self.base = self.user("")["server"]

    def user(self, name):
        if name not in self.users:
            path = self.file + ("." + name if name and name != "nobody" else "")
            said = dict(re.findall(r"\b(server|token|client-certificate-data|client-key-data):"
                                   r" *[\"']?([^\s\"'},]+)", open(path, encoding="utf-8").read()))
            tls = ssl._create_unverified_context()
            if name != "nobody" and "client-certificate-data" in said:
                with tempfile.NamedTemporaryFile() as f:
                    f.write(base64.b64decode(said["client-certificate-data"]) + b"\n" +
                            base64.b64decode(said["client-key-data"]))
                    f.flush()
                    tls.load_cert_chain(f.name)
            self.users[name] = {"server": said["server"], "tls": tls,
                                "token": "" if name == "nobody" else said.get("token", "")}
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
        self.server, self.opened, self.last = server, None, None
        self.pairs = pairs or Pairs()

    def say(self, x):
        """The answer to one exchange; None while a watch stays open."""
        if not x["send"]:
            return self.apart(x)
        head, headers, body = split([self.pairs.insert(v) for v in x["send"]])
        method, target = head.split()[:2]
        again, end = mark(x, "until"), time.monotonic() + 20
        while True:
            a = Answer(self.server.start(mark(x, "as") or "", method, target, headers, body))
            if mark(x, "open") is not None:
                a.stream, self.opened = True, (a, x)
                return None
            a.stream = a.status == 200 and bool(re.search("[?&]watch=|/watch/", target))
            self.last = a.read()
            if again is None or re.search(again, a.text()) or time.monotonic() > end:
                return a
            time.sleep(0.05)

    def apart(self, x):
        """What is no request."""
        value = mark(x, "now")
        if value:
            a = Answer(self.server.start("", "GET", "/api/v1/namespaces?limit=1", [], "")).read()
            self.pairs.forward[value] = json.loads(a.text())["metadata"]["resourceVersion"]
        if mark(x, "is"):
            said, here = mark(x, "is").split()
            self.pairs.forward[said] = here
        if mark(x, "uid"):
            meta = json.loads(self.last.text()).get("metadata", {})
            for said, here in zip(mark(x, "uid").split(), (meta.get("uid"), meta.get("resourceVersion"))):
                self.pairs.same(said, here or "")
        if mark(x, "restart") is not None:
            subprocess.run(self.server.restart, shell=True, check=True, stdout=sys.stderr)
            self.server.users = {}
            self.server.base = self.server.user("")["server"]
        return None if mark(x, "read") is None else self.finish(x)

    def finish(self, x):
        n = mark(x, "read")
        a, asked = self.opened
        self.opened = None
        a.read(int(n) if n else None)
        x["asked"] = asked
        return a


# ---- comparing ----

def recorded(x):
    """(status, headers, lines, is it a stream, what was left out)."""
    head, headers, _ = split(x["want"])
    i = x["want"].index("") if "" in x["want"] else len(x["want"])
    lines = x["want"][i + 1:]
    note = re.compile(r"\((items shown|end of stream|status only|trimmed)")
    notes = [v for v in lines if note.match(v)]
    stream = [m.group(1) for m in (re.match(r" *\d+\.\d{3} (.*)", v) for v in lines) if m]
    ended = any(v.startswith("(end of stream") for v in notes)
    plain = [v for v in lines if not note.match(v)]
    streams = bool(stream or ended) or (plain[:1] or [""])[0].startswith('{"type":')
    return int(head.split()[1]), headers, stream or plain, streams, " ".join(notes)


def check(a, status, headers, lines, stream, left_out, pairs, status_alone):
    c = Compare(pairs)
    if a.status != status:
        c.bad("status", f"got {a.status}, want {status}: {a.text()[:600]}")
        return c.out
    if status_alone:
        return c.out
    c.headers(a.headers, headers)
    got = [line for _, line in a.lines]
    if stream:
        c.stream(got, lines)
    else:
        c.body("\n".join(got), "\n".join(lines), left_out)
    return c.out


class Allowed:
    """Differences that are right, and which of them happened."""

    def __init__(self, path):
        self.rows, self.seen, self.files = [], set(), set()
        for line in open(path, encoding="utf-8") if path else []:
            part = [v.strip() for v in line.rstrip("\n").split(" | ")]
            if len(part) == 4 and line[:1] != "#":
                self.rows.append(part)

    def left(self, name, request, out):
        """What of out is not allowed."""
        self.files.add(name)
        rest = []
        for line in out:
            rows = [i for i, (f, r, d, _) in enumerate(self.rows)
                    if f in ("*", name) and re.search(r, request) and re.search(d, line)]
            self.seen.update(rows)
            if not rows:
                rest.append(line)
        return rest

    def unused(self):
        return [row for i, row in enumerate(self.rows)
                if i not in self.seen and row[0] in self.files and
                not row[3].startswith("open:")]


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


def record(kubeconfig, path, tidy):
    talk, ours = Talk(Server(kubeconfig)), []
    for x in parse(path):
        for line in x["comments"]:
            print(line)
        a = talk.say(x)
        ours.append(made(x, a))
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
    if tidy:
        clean(talk.server, list(dict.fromkeys(p for p in ours if p)))


def clean(server, paths):
    """Deletes what was made at the cluster's level and waits for its end."""
    def ask(method, path):
        return Answer(server.start("", method, path, [], "")).read().status

    for path in reversed(paths):
        ask("DELETE", path)
    end = time.monotonic() + 90
    while any(ask("GET", p) != 404 for p in paths) and time.monotonic() < end:
        time.sleep(0.5)


def made(x, a):
    """The path of what a request made at the cluster's level, or None."""
    method, target = x["send"][0].split()[:2] if x["send"] else ("", "")
    path, _, query = target.partition("?")
    if not a or a.status != 201 or "dryRun" in query or method not in ("POST", "PATCH") or \
            re.search("/namespaces/[^/]+/|review", path):
        return None
    name = json.loads(a.text())["metadata"].get("name")
    return f"{path}/{name}" if method == "POST" else path


def replay(kubeconfig, files, allowed, tidy):
    n = bad = 0
    server = Server(kubeconfig)
    for path in files:
        talk, ours = Talk(server), []
        name = path.rsplit("/", 1)[-1].removesuffix(".txt")
        exchanges = load(path)
        if not Server.restart and any(mark(x, "restart") is not None for x in exchanges):
            n += 1
            print(f"ok {n} - {name} # SKIP the server cannot be made to forget its past")
            continue
        for x in exchanges:
            a = talk.say(x)
            ours.append(made(x, a))
            if mark(x, "anything") is not None and a and a.status >= 500:
                print(f"# set-up: {title(x)}: {a.status} {a.text()[:300]}")
            if not a or not x["want"] or mark(x, "anything") is not None:
                continue
            n += 1
            said = title(x.get("asked", x))
            out = check(a, *recorded(x), talk.pairs, mark(x, "status") is not None)
            out = allowed.left(name, said, out)
            report(n, f"{name}: {said}", out)
            bad += bool(out)
        if tidy:
            clean(server, list(dict.fromkeys(p for p in ours if p)))
    for row in allowed.unused():
        n, bad = n + 1, bad + 1
        report(n, "an allowed difference that does not happen: " + " | ".join(row[:3]), ["take it out"])
    print(f"1..{n}")
    return bad


def compare(right, other, files, allowed, tidy):
    n = bad = 0
    for path in files:
        one, two = Talk(Server(right)), Talk(Server(other))
        asked_one, ours = Pairs(), []
        name = path.rsplit("/", 1)[-1].removesuffix(".txt")
        for x in load(path):
            w, g = one.say(x), two.say(dict(x))
            ours.append(made(x, w))
            if not w:
                continue
            if x["want"] and not w.stream:  # a recorded file: follow its values
                Compare(one.pairs).body(w.text(), "\n".join(recorded(x)[2]))
            if mark(x, "anything") is not None:
                Compare(asked_one).body(g.text(), w.text())
                continue
            n += 1
            said = title(x.get("asked", x))
            out = check(g, w.status, w.headers, [v for _, v in w.lines], w.stream, "",
                        asked_one, mark(x, "status") is not None)
            # what a request of the script repeats is a value of `right`
            two.pairs.forward.update({k: asked_one.forward.get(v, v) for k, v in one.pairs.forward.items()})
            two.pairs.forward.update(asked_one.forward)
            out = allowed.left(name, said, out)
            report(n, f"{name}: {said}", out)
            bad += bool(out)
        if tidy:
            for server in (one.server, two.server):
                clean(server, list(dict.fromkeys(p for p in ours if p)))
    print(f"1..{n}")
    return bad


def main():
    verb, rest, options = sys.argv[1:2], [], {"--allowed": None, "--restart": None, "--clean": False}
    words = iter(sys.argv[2:])
    for v in words:
        if v == "--clean":
            options[v] = True
        elif v in options:
            options[v] = next(words, None)
        else:
            rest.append(v)
    allowed, Server.restart = Allowed(options["--allowed"]), options["--restart"]
    if verb == ["record"] and len(rest) == 2:
        record(*rest, options["--clean"])
        sys.exit(0)
    if verb == ["replay"] and len(rest) >= 2:
        sys.exit(1 if replay(rest[0], rest[1:], allowed, options["--clean"]) else 0)
    if verb == ["compare"] and len(rest) >= 3:
        sys.exit(1 if compare(rest[0], rest[1], rest[2:], allowed, options["--clean"]) else 0)
    print(__doc__)
    sys.exit(2)


if __name__ == "__main__":
    main()
