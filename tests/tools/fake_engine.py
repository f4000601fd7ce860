#!/usr/bin/env python3
"""A container engine without containers, for tests: the Docker Engine API on
a unix socket, answering as engine 20.10.24 (API 1.41) does in the recordings
of tests/wire/docker, with the same headers and the same words.

usage: fake_engine.py SOCKET [--log FILE] [--control FILE] [--exec PROGRAM]
                      [--state FILE]

It prints "ready" when it listens, ends on SIGTERM and removes its socket.
  --log FILE      one line a request: METHOD PATH STATUS
  --control FILE  read again before each request (see "Misbehaving"); also by
                  the environment: FAKE_ENGINE_CONTROL=FILE
  --exec PROGRAM  runs programs "in" containers: PROGRAM CONTAINER ARGV..., with
                  the input on its standard input; its output and exit code
                  are the answer (else: the container's "exec" rows)
  --state FILE    read at the start, written after each change (a restart of
                  the engine keeps its containers)

State, by requests only tests send (a fake `kind` makes its nodes this way;
curl --unix-socket SOCKET http://engine/_fake/...):
  POST   /_fake/containers        makes one, or replaces it, from
         {"name": "mesh-control-plane", "image": "kindest/node:v1.34.8",
          "labels": {"io.x-k8s.kind.cluster": "mesh",
                     "io.x-k8s.kind.role": "control-plane"},
          "ports": {"6443/tcp": 33951},       container port -> port of 127.0.0.1
          "network": "kind",                  made when it is not there
          "state": "running",                 or "exited", "created"
          "exit_code": 0, "oom_killed": false, "tty": true,
          "ends": 7,                          started, it runs to its end at once
          "volume": true,                     an anonymous volume at /var
          "logs": ["line", ["stderr", "line"]],
          "files": {"/kind/version": "v1.34.8"},
          "exec": [{"match": "regex of the joined argv", "out": "", "err": "",
                    "exit": 0}],              first match; else exit 0, silence;
                                              "missing": true: no such program,
                                              "unread": true: leaves its input
          "start_error": "words",             start answers 500 with them
          "delete_error": "words", "delete_errors": 2}  so many times, then fine
         all but name may be left out; answers {"Id": "..."}
  DELETE /_fake/containers/NAME   takes it away without a word (its network and
                                  other containers stay)
  POST   /_fake/images            {"ref": "a/b:1", "size": 1000,
                                   "digest": "sha256:..."}: is there
  POST   /_fake/registry          what can be pulled:
         {"ref": "a/b:1", "layers": [1000, 2000], "digest": "sha256:..."}
         or {"ref": ..., "error": "words", "status": 404} before the stream
         or {"ref": ..., "stream_error": "words"} at the end of a 200 stream
         or {"ref": ..., "silent": true} stops in the middle and says nothing
         Any other ref is answered as an engine without a network does.
  POST   /_fake/info              merged into the answer of /info
  POST   /_fake/networks          {"name": "kind"}; /_fake/volumes {"name": ...}
  GET    /_fake/state             all of it as JSON; /_fake/requests the log

Misbehaving: the control file has lines "METHOD REGEX ACTION..."; METHOD may be
"*", the regex is searched in the path with its query; the first line that
matches counts:
  status CODE WORDS   that answer, {"message": WORDS}
  text CODE WORDS     that answer as text/plain (as "client version too old")
  html                200 and a web page (a proxy in the way)
  garbage             bytes that are no HTTP
  cut N               N bytes of the right answer, then the connection ends
  slow MS             MS milliseconds between the pieces of the answer
  hang                no answer until the client leaves
  refuse              the connection ends without an answer
  type                200 with JSON of the wrong type
"""
import base64
import email.utils
import hashlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse

SERVER = "Docker/20.10.24+dfsg1 (linux)"
API = "1.41"
FOLDERS = ["/", "/etc", "/etc/containerd", "/kind", "/root", "/tmp", "/usr",
           "/usr/local", "/usr/local/bin", "/var"]
REASONS = {101: "UPGRADED", 200: "OK", 201: "Created", 204: "No Content",
           304: "Not Modified", 400: "Bad Request", 403: "Forbidden",
           404: "Not Found", 409: "Conflict", 500: "Internal Server Error"}


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def go_json(value):
    """As encoding/json writes it: compact, with < > & escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for c, e in ("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"):
        text = text.replace(c, e)
    return text.encode()


class Refusal(Exception):
    def __init__(self, status, words):
        super().__init__(words)
        self.status, self.words = status, words


class Left(Exception):
    """The client left, or this answer was to be cut here."""


# ---- state ------------------------------------------------------------------

class Engine:
    def __init__(self, options):
        self.options = options
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.containers, self.images, self.registry = {}, {}, {}
        self.networks, self.volumes, self.info = {}, {}, {}
        self.execs, self.events, self.requests = {}, [], []
        self.count = 0
        for name, driver in ("none", "null"), ("host", "host"), ("bridge", "bridge"):
            self.network(name, driver)
        if options.state and os.path.exists(options.state):
            with open(options.state, encoding="utf-8") as f:
                self.__dict__.update(json.load(f))

    def dump(self):
        return {k: getattr(self, k) for k in
                ("containers", "images", "registry", "networks", "volumes",
                 "info", "count")}

    def saved(self):
        self.changed.notify_all()
        if self.options.state:
            with open(self.options.state + ".part", "w", encoding="utf-8") as f:
                json.dump(self.dump(), f)
            os.rename(self.options.state + ".part", self.options.state)

    def new_id(self, name):
        self.count += 1
        return digest("%s %d" % (name, self.count))

    def network(self, name, driver="bridge"):
        for n in self.networks.values():
            if n["Name"] == name:
                return n
        n = {"Name": name, "Id": self.new_id("net " + name),
             "Created": "2026-11-21T02:56:42.460292089Z", "Scope": "local",
             "Driver": driver, "EnableIPv6": name == "kind",
             "IPAM": {"Driver": "default", "Options": {},
                      "Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]
                      if driver == "bridge" else []},
             "Internal": False, "Attachable": False, "Ingress": False,
             "ConfigFrom": {"Network": ""}, "ConfigOnly": False,
             "Containers": {}, "Options": {}, "Labels": {}}
        self.networks[n["Id"]] = n
        return n

    def find(self, table, ident, words):
        for key, o in table.items():
            if ident in (key, o.get("name"), o.get("Name")):
                return o
        hits = [o for key, o in table.items() if len(ident) >= 12 and key.startswith(ident)]
        if len(hits) == 1:
            return hits[0]
        raise Refusal(404, words % ident)

    def container(self, ident):
        return self.find(self.containers, ident, "No such container: %s")

    def event(self, c, action, **facts):
        now = time.time()
        attributes = dict(c["labels"], image=c["image"], name=c["name"], **facts)
        self.events.append({
            "status": action, "id": c["id"], "from": c["image"],
            "Type": "container", "Action": action,
            "Actor": {"ID": c["id"], "Attributes": attributes},
            "scope": "local", "time": int(now), "timeNano": int(now * 1e9)})

    def add_container(self, spec):
        name = spec["name"]
        old = [c for c in self.containers.values() if c["name"] == name]
        for c in old:
            del self.containers[c["id"]]
        c = {"id": self.new_id(name), "name": name, "image": "kindest/node:latest",
             "labels": {}, "ports": {}, "network": "bridge", "state": "created",
             "exit_code": 0, "oom_killed": False, "tty": False, "volume": "",
             "ends": None, "logs": [], "files": {}, "folders": [], "exec": [],
             "start_error": "", "delete_error": "", "delete_errors": 0,
             "created": int(time.time()), "ip": ""}
        c.update(spec)
        self.network(c["network"])
        if c["volume"] is True:
            c["volume"] = self.new_id("volume " + name)
        if c["volume"]:
            self.volumes[c["volume"]] = {"name": c["volume"], "labels": None}
        c["ip"] = "172.18.0.%d" % (2 + len(self.containers) % 250)
        self.containers[c["id"]] = c
        self.event(c, "create")
        if c["state"] == "running":
            self.event(c, "start")
        return c

    def start(self, c):
        if c["start_error"]:
            raise Refusal(500, c["start_error"])
        if c["state"] == "running":
            return 304
        c["state"], c["exit_code"] = "running", 0
        self.event(c, "start")
        if c["ends"] is not None:
            c["state"], c["exit_code"] = "exited", c["ends"]
            self.event(c, "die", exitCode=str(c["ends"]))
        return 204

    def stop(self, c, code=137):
        if c["state"] != "running":
            return 304
        c["state"], c["exit_code"] = "exited", code
        self.event(c, "kill", signal="15")
        self.event(c, "die", exitCode=str(code))
        self.event(c, "stop")
        return 204

    def remove(self, c, force, volumes):
        if c["delete_error"] and c["delete_errors"]:
            c["delete_errors"] -= 1
            raise Refusal(500, c["delete_error"])
        if c["state"] == "running":
            if not force:
                raise Refusal(409, "You cannot remove a running container %s. Stop the "
                              "container before attempting removal or force remove" % c["id"])
            self.stop(c)
        del self.containers[c["id"]]
        if volumes:
            self.volumes.pop(c["volume"], None)
        self.event(c, "destroy")

    def add_image(self, ref, size=1000, sha=None):
        name, at, by_digest = ref.partition("@")
        sha = sha or by_digest or "sha256:" + digest("manifest " + ref)
        repo = re.sub(r":[^/:]*$", "", name)
        ident = "sha256:" + digest("config " + sha)
        i = self.images.setdefault(ident, {
            "Id": ident, "RepoTags": [], "RepoDigests": [], "Size": size,
            "Created": 1795230192})
        if not at:
            for other in self.images.values():
                if name in other["RepoTags"]:
                    other["RepoTags"].remove(name)
            i["RepoTags"].append(name)
        if repo + "@" + sha not in i["RepoDigests"]:
            i["RepoDigests"].append(repo + "@" + sha)
        return i

    def image(self, ref):
        full = ref if ":" in ref.rsplit("/", 1)[-1] or "@" in ref else ref + ":latest"
        for i in self.images.values():
            if ref == i["Id"] or full in i["RepoTags"] or full in i["RepoDigests"]:
                return i
        raise Refusal(404, "no such image: %s: No such image: %s" % (ref, ref))


# ---- forms of answers -------------------------------------------------------

def ports_of(c):
    return [{"IP": "127.0.0.1", "PrivatePort": int(k.split("/")[0]), "PublicPort": v,
             "Type": k.split("/")[1]} for k, v in c["ports"].items()]


def mounts_of(c):
    m = [{"Type": "bind", "Source": "/lib/modules", "Destination": "/lib/modules",
          "Mode": "ro", "RW": False, "Propagation": "rprivate"}]
    if c["volume"]:
        m.append({"Type": "volume", "Name": c["volume"], "Source": "",
                  "Destination": "/var", "Driver": "local", "Mode": "", "RW": True,
                  "Propagation": ""})
    return m


def networks_of(engine, c):
    up = c["state"] == "running"
    return {c["network"]: {"NetworkID": engine.network(c["network"])["Id"],
                           "EndpointID": digest(c["id"]) if up else "",
                           "Gateway": "172.18.0.1" if up else "",
                           "IPAddress": c["ip"] if up else ""}}


def listed(engine, c):
    status = {"running": "Up 7 minutes", "created": "Created",
              "exited": "Exited (%d) 1 second ago" % c["exit_code"]}
    return {"Id": c["id"], "Names": ["/" + c["name"]], "Image": c["image"],
            "ImageID": "sha256:" + digest("config " + c["image"]),
            "Command": "/usr/local/bin/entrypoint /sbin/init", "Created": c["created"],
            "Ports": ports_of(c) if c["state"] == "running" else [],
            "Labels": c["labels"], "State": c["state"],
            "Status": status.get(c["state"], c["state"]),
            "HostConfig": {"NetworkMode": c["network"]},
            "NetworkSettings": {"Networks": networks_of(engine, c)},
            "Mounts": mounts_of(c)}


def inspected(engine, c):
    up = c["state"] == "running"
    bound = {k: [{"HostIp": "127.0.0.1", "HostPort": str(v)}] for k, v in c["ports"].items()}
    return {"Id": c["id"], "Created": "2026-11-21T03:05:05.362505912Z",
            "Path": "/usr/local/bin/entrypoint", "Args": ["/sbin/init"],
            "State": {"Status": c["state"], "Running": up, "Paused": False,
                      "Restarting": False, "OOMKilled": c["oom_killed"], "Dead": False,
                      "Pid": 11019 if up else 0, "ExitCode": c["exit_code"], "Error": "",
                      "StartedAt": "2026-11-21T03:05:06.93166589Z",
                      "FinishedAt": "0001-01-01T00:00:00Z" if up else "2026-11-21T03:15:06.1Z"},
            "Image": "sha256:" + digest("config " + c["image"]),
            "Name": "/" + c["name"], "RestartCount": 0, "Driver": "overlay2",
            "Platform": "linux", "HostConfig": {"NetworkMode": c["network"],
                                                "PortBindings": bound},
            "Mounts": mounts_of(c),
            "Config": {"Hostname": c["name"], "Tty": c["tty"], "Image": c["image"],
                       "Labels": c["labels"]},
            "NetworkSettings": {"Ports": bound if up else {},
                                "Networks": networks_of(engine, c)}}


def info(engine):
    states = [c["state"] for c in engine.containers.values()]
    answer = {
        "ID": "FAKE", "Containers": len(states), "ContainersRunning": states.count("running"),
        "ContainersPaused": 0, "ContainersStopped": len(states) - states.count("running"),
        "Images": len(engine.images), "Driver": "overlay2",
        "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
        "MemoryLimit": True, "SwapLimit": True, "CpuCfsPeriod": True, "CpuCfsQuota": True,
        "PidsLimit": True, "CgroupDriver": "systemd", "CgroupVersion": "2",
        "KernelVersion": "6.1.0-18-amd64", "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
        "OSType": "linux", "Architecture": "x86_64", "NCPU": 4, "MemTotal": 16 << 30,
        "DockerRootDir": "/var/lib/docker", "HttpProxy": "", "HttpsProxy": "", "NoProxy": "",
        "Name": "engine", "ServerVersion": "20.10.24+dfsg1",
        "SecurityOptions": ["name=seccomp,profile=default"], "Warnings": None}
    answer.update(engine.info)
    return answer


def version():
    parts = {"Version": "20.10.24+dfsg1", "ApiVersion": API, "MinAPIVersion": "1.12",
             "GitCommit": "5d6db84", "GoVersion": "go1.19.8", "Os": "linux", "Arch": "amd64",
             "KernelVersion": "6.1.0-18-amd64"}
    return dict({"Platform": {"Name": ""}, "Components": [
        {"Name": "Engine", "Version": parts["Version"], "Details": {"ApiVersion": API}}]}, **parts)


def has_labels(labels, wanted):
    for w in wanted:
        key, eq, value = w.partition("=")
        if key not in labels or (eq and labels[key] != value):
            return False
    return True


# ---- one connection ---------------------------------------------------------

class Connection:
    def __init__(self, engine, sock):
        self.engine, self.sock, self.buffer = engine, sock, b""
        self.cut = self.slow = None

    # -- bytes --
    def more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise Left
        self.buffer += piece

    def take(self, n):
        while len(self.buffer) < n:
            self.more()
        piece, self.buffer = self.buffer[:n], self.buffer[n:]
        return piece

    def line(self):
        while b"\n" not in self.buffer:
            self.more()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def send(self, data):
        if self.slow is not None:
            time.sleep(self.slow)
        if self.cut is not None:
            data, self.cut = data[:self.cut], self.cut - len(data)
        try:
            self.sock.sendall(data)
        except OSError:
            raise Left from None
        if self.cut is not None and self.cut <= 0:
            raise Left

    # -- answers --
    def head(self, status, kind="application/json", extra=(), date=True):
        lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Status")),
                 "Api-Version: " + API]
        if kind:
            lines.append("Content-Type: " + kind)
        lines += ["Docker-Experimental: false", "Ostype: linux", "Server: " + SERVER]
        if date:
            lines.append("Date: " + email.utils.formatdate(usegmt=True))
        self.status = status
        return "\r\n".join(lines + list(extra)).encode() + b"\r\n\r\n"

    def body(self, status, data, kind="application/json"):
        if len(data) > 2048:
            self.send(self.head(status, kind, ["Transfer-Encoding: chunked"]))
            self.piece(data)
            self.end()
        else:
            self.send(self.head(status, kind, ["Content-Length: %d" % len(data)]) +
                      (b"" if self.method == "HEAD" else data))

    def answer(self, status, value=None):
        if value is None:
            self.send(self.head(status, "", ["Content-Length: 0"] if status != 204 else []))
        else:
            self.body(status, go_json(value) + b"\n")

    def stream(self, kind="application/json"):
        self.send(self.head(200, kind, ["Transfer-Encoding: chunked"]))

    def piece(self, data):
        if data:
            self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self):
        self.send(b"0\r\n\r\n")

    def told(self, value):
        self.piece(go_json(value) + b"\r\n")

    # -- requests --
    def serve(self):
        try:
            while self.request():
                pass
        except (Left, OSError):
            pass
        finally:
            self.sock.close()

    def read_body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            whole = b""
            while True:
                n = int(self.line().split(";")[0], 16)
                whole += self.take(n)
                self.take(2)
                if n == 0:
                    return whole
        return self.take(int(self.headers.get("content-length", "0")))

    def request(self):
        try:
            self.method, target, _ = self.line().split(" ", 2)
        except ValueError:
            return False
        self.headers = {}
        while True:
            line = self.line()
            if not line:
                break
            key, _, value = line.partition(":")
            self.headers[key.lower()] = value.strip()
        data = self.read_body()
        url = urllib.parse.urlsplit(target)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.names = urllib.parse.parse_qs(url.query).get("names", [])
        self.cut = self.slow = None
        self.status = 0
        keep = True
        try:
            keep = self.misbehave(target) and self.route(url.path, data)
        finally:
            if not url.path.startswith("/_fake/"):
                self.note(target)
        return keep and self.headers.get("connection", "").lower() != "close"

    def note(self, target):
        line = "%s %s %s" % (self.method, target, self.status)
        with self.engine.lock:
            self.engine.requests.append(line)
        if self.engine.options.log:
            with open(self.engine.options.log, "a", encoding="utf-8") as f:
                f.write(line + "\n")

    def rule(self, target):
        path = self.engine.options.control
        if not path or not os.path.exists(path) or target.startswith("/_fake/"):
            return []
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split(None, 2)
                if len(words) == 3 and words[0] in ("*", self.method) and \
                        re.search(words[1], target):
                    return words[2].split(None, 2)
        return []

    def misbehave(self, target):
        """False: the connection is to end."""
        what = self.rule(target)
        if not what:
            return True
        if what[0] in ("status", "text"):
            words = what[2].strip() if len(what) > 2 else ""
            if what[0] == "status":
                self.answer(int(what[1]), {"message": words})
            else:
                self.body(int(what[1]), words.encode(), "text/plain; charset=utf-8")
        elif what[0] == "html":
            self.body(200, b"<html><body>Please sign in</body></html>", "text/html")
        elif what[0] == "garbage":
            self.send(b"\x16\x03\x01\x02\x00\x01\x00 no HTTP at all \xff\xfe\r\n\r\n")
        elif what[0] == "type":
            self.body(200, b'"a text"\n')
        elif what[0] == "hang":
            try:
                while True:
                    self.more()
            except OSError:
                pass
        elif what[0] == "cut":
            self.cut = int(what[1])
            return True
        elif what[0] == "slow":
            self.slow = int(what[1]) / 1000
            return True
        return False

    def route(self, path, data):
        m = re.match(r"/v(\d+)\.(\d+)(/.*)", path)
        try:
            if m:
                path = m.group(3)
                asked = (int(m.group(1)), int(m.group(2)))
                if asked > (1, 41):
                    words = "client version %d.%d is too new. Maximum supported API version " \
                        "is %s" % (asked + (API,))
                    self.send(self.head(400).replace(b"Docker-Experimental: false\r\n", b"")
                              .replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" %
                                       (len(words) + 15)) + go_json({"message": words}) + b"\n")
                    return True
            for method, pattern, fn in ROUTES:
                hit = re.fullmatch(pattern, path)
                if hit and method == self.method:
                    return fn(self, *[urllib.parse.unquote(g) for g in hit.groups()],
                              data=data) is not False
            raise Refusal(404, "page not found")
        except Refusal as r:
            self.answer(r.status, {"message": r.words})
            return True

    def filters(self):
        try:
            return json.loads(self.query.get("filters") or "{}")
        except ValueError:
            raise Refusal(500, "unexpected end of JSON input") from None

    # -- programs --
    def frame(self, stream, data):
        if data:
            self.send(bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data)

    def run(self, c, argv, stdin):
        if self.engine.options.exec:
            p = subprocess.run([self.engine.options.exec, c["name"]] + argv, input=stdin,
                               capture_output=True, check=False)
            return p.stdout, p.stderr, p.returncode
        text = " ".join(argv)
        for row in c["exec"]:
            if not re.search(row.get("match", "."), text):
                continue
            if row.get("missing"):
                return ('OCI runtime exec failed: exec failed: unable to start container '
                        'process: exec: "%s": stat %s: no such file or directory: unknown\r\n'
                        % (argv[0], argv[0])).encode(), b"", 126
            return row.get("out", "").encode(), row.get("err", "").encode(), row.get("exit", 0)
        if argv[0] == "cat" and len(argv) == 2:
            if argv[1] in c["files"]:
                return content(c, argv[1]), b"", 0
            return b"", ("cat: %s: No such file or directory\n" % argv[1]).encode(), 1
        if argv[0] == "cat":
            return stdin, b"", 0
        if argv[:2] == ["test", "-e"] or argv[:2] == ["test", "-f"]:
            return b"", b"", 0 if argv[2] in c["files"] else 1
        if argv[0] == "mkdir":
            with self.engine.lock:
                for a in argv[1:]:
                    while a.startswith("/") and a not in c["folders"]:
                        c["folders"].append(a)
                        a = os.path.dirname(a)
        return b"", b"", 0


def content(c, path):
    v = c["files"][path]
    return v.encode() if isinstance(v, str) else base64.b64decode(v["b64"])


# ---- the API ----------------------------------------------------------------

ROUTES = []


def on(method, pattern):
    def add(fn):
        ROUTES.append((method, pattern, fn))
        return fn
    return add


@on("GET", "/_ping")
@on("HEAD", "/_ping")
def _ping(h, data):
    kind = "text/plain; charset=utf-8"
    extra = ["Cache-Control: no-cache, no-store, must-revalidate", "Pragma: no-cache",
             "Content-Length: " + ("0" if h.method == "HEAD" else "2")]
    h.send(h.head(200, kind, extra) + (b"" if h.method == "HEAD" else b"OK"))


@on("GET", "/version")
def _version(h, data):
    h.answer(200, version())


@on("GET", "/info")
def _info(h, data):
    with h.engine.lock:
        h.answer(200, info(h.engine))


@on("GET", "/containers/json")
def _containers(h, data):
    f = h.filters()
    with h.engine.lock:
        found = [listed(h.engine, c) for c in h.engine.containers.values()
                 if (h.query.get("all") in ("1", "true") or c["state"] == "running")
                 and has_labels(c["labels"], f.get("label", []))
                 and all(n in c["name"] for n in f.get("name", []))]
    h.answer(200, found[::-1])


@on("GET", "/containers/([^/]+)/json")
def _container(h, ident, data):
    with h.engine.lock:
        h.answer(200, inspected(h.engine, h.engine.container(ident)))


@on("POST", "/containers/create")
def _create(h, data):
    try:
        spec = json.loads(data)
    except ValueError:
        raise Refusal(500, "unexpected EOF") from None
    e = h.engine
    with e.lock:
        name = h.query.get("name") or "c" + digest(str(e.count))[:8]
        for c in e.containers.values():
            if c["name"] == name:
                raise Refusal(409, 'Conflict. The container name "/%s" is already in use by '
                              'container "%s". You have to remove (or rename) that container '
                              'to be able to reuse that name.' % (name, c["id"]))
        try:
            e.image(spec.get("Image", ""))
        except Refusal:
            raise Refusal(404, "No such image: " + spec.get("Image", "")) from None
        c = e.add_container({"name": name, "image": spec["Image"],
                             "labels": spec.get("Labels") or {},
                             "tty": bool(spec.get("Tty")),
                             "network": (spec.get("HostConfig") or {}).get("NetworkMode")
                             or "bridge"})
        e.saved()
        h.answer(201, {"Id": c["id"], "Warnings": []})


@on("POST", "/containers/([^/]+)/start")
def _start(h, ident, data):
    with h.engine.lock:
        status = h.engine.start(h.engine.container(ident))
        h.engine.saved()
        h.answer(status)


@on("POST", "/containers/([^/]+)/(stop|kill)")
def _stop(h, ident, verb, data):
    with h.engine.lock:
        c = h.engine.container(ident)
        if verb == "kill" and c["state"] != "running":
            raise Refusal(409, "Cannot kill container: %s: Container %s is not running"
                          % (ident, c["id"]))
        status = h.engine.stop(c)
        h.engine.saved()
        h.answer(204 if verb == "kill" else status)


@on("POST", "/containers/([^/]+)/wait")
def _wait(h, ident, data):
    with h.engine.lock:
        c = h.engine.container(ident)
        while c["state"] == "running" and c["id"] in h.engine.containers:
            h.engine.changed.wait(0.2)
        h.answer(200, {"Error": None, "StatusCode": c["exit_code"]})


@on("DELETE", "/containers/([^/]+)")
def _delete(h, ident, data):
    with h.engine.lock:
        h.engine.remove(h.engine.container(ident), h.query.get("force") in ("1", "true"),
                        h.query.get("v") in ("1", "true"))
        h.engine.saved()
        h.answer(204)


@on("GET", "/containers/([^/]+)/logs")
def _logs(h, ident, data):
    e = h.engine
    if not {"stdout", "stderr"} & set(h.query):
        raise Refusal(400, "Bad parameters: you must choose at least one stream")
    with e.lock:
        c = e.container(ident)
        tail = h.query.get("tail", "all")
        at = 0 if tail == "all" else max(0, len(c["logs"]) - int(tail))
    h.stream("")
    while True:
        with e.lock:
            lines, at = c["logs"][at:], len(c["logs"])
            over = c["state"] != "running" or c["id"] not in e.containers
        for line in lines:
            stream, text = line if isinstance(line, list) else ("stdout", line)
            text = text.encode() + (b"\r\n" if c["tty"] else b"\n")
            n = 2 if stream == "stderr" else 1
            h.piece(text if c["tty"] else
                    bytes([n, 0, 0, 0]) + len(text).to_bytes(4, "big") + text)
        if "follow" not in h.query or over:
            return h.end()
        with e.lock:
            e.changed.wait(0.05)


@on("POST", "/containers/([^/]+)/exec")
def _exec(h, ident, data):
    with h.engine.lock:
        c = h.engine.container(ident)
        if c["state"] != "running":
            raise Refusal(409, "Container %s is not running" % c["id"])
        x = h.engine.new_id("exec")
        h.engine.execs[x] = {"container": c, "spec": json.loads(data), "code": None}
        h.answer(201, {"Id": x})


@on("POST", "/exec/([^/]+)/start")
def _exec_start(h, ident, data):
    x = h.engine.execs.get(ident)
    if not x:
        raise Refusal(404, "No such exec instance: " + ident)
    spec = x["spec"]
    kind = "Content-Type: application/vnd.docker.raw-stream"
    if "upgrade" in h.headers:
        h.send(h.head(101, "", [kind, "Connection: Upgrade", "Upgrade: tcp"], date=False))
    else:
        h.send(h.head(200, "", [kind], date=False))
    if x["code"] is not None:
        words = ("Error: Exec command %s has already run\r\n" % ident).encode()
        h.send(bytes([0, 0, 0, 0]) + len(words).to_bytes(4, "big") + words)
        return False
    stdin, h.buffer = h.buffer, b""
    unread = any(r.get("unread") and re.search(r["match"], " ".join(spec["Cmd"]))
                 for r in x["container"]["exec"])
    if unread:
        h.sock.recv(1, socket.MSG_PEEK)  # it is there, and stays there
    elif spec.get("AttachStdin"):
        try:
            while True:
                h.more()
        except Left:
            stdin, h.buffer = stdin + h.buffer, b""
    out, err, x["code"] = h.run(x["container"], spec["Cmd"], stdin)
    h.frame(1, out)
    h.frame(2, err)
    return False


@on("GET", "/exec/([^/]+)/json")
def _exec_json(h, ident, data):
    x = h.engine.execs.get(ident)
    if not x:
        raise Refusal(404, "No such exec instance: " + ident)
    h.answer(200, {"ID": ident, "Running": x["code"] is None, "ExitCode": x["code"],
                   "ProcessConfig": {"tty": False, "entrypoint": x["spec"]["Cmd"][0],
                                     "arguments": x["spec"]["Cmd"][1:], "privileged": False},
                   "OpenStdin": False, "OpenStderr": True, "OpenStdout": True,
                   "CanRemove": False, "ContainerID": x["container"]["id"],
                   "DetachKeys": "", "Pid": 0})


@on("GET", "/containers/([^/]+)/archive")
def _get_archive(h, ident, data):
    with h.engine.lock:
        c = h.engine.container(ident)
        path = h.query.get("path", "")
        if path not in c["files"]:
            raise Refusal(404, "Could not find the file %s in container %s" % (path, ident))
        text = content(c, path)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        member = tarfile.TarInfo(os.path.basename(path))
        member.size, member.mode = len(text), 0o644
        t.addfile(member, io.BytesIO(text))
    stat = {"name": os.path.basename(path), "size": len(text), "mode": 420,
            "mtime": "2026-11-21T02:59:06Z", "linkTarget": ""}
    h.send(h.head(200, "application/x-tar",
                  ["X-Docker-Container-Path-Stat: " + base64.b64encode(go_json(stat)).decode(),
                   "Content-Length: %d" % len(out.getvalue())]) + out.getvalue())


@on("PUT", "/containers/([^/]+)/archive")
def _put_archive(h, ident, data):
    with h.engine.lock:
        c = h.engine.container(ident)
        folder = h.query.get("path", "")
        known = set(FOLDERS) | set(c["folders"]) | {os.path.dirname(p) for p in c["files"]}
        if folder not in known:
            raise Refusal(404, "Could not find the file %s in container %s" % (folder, ident))
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as t:
                for m in t.getmembers():
                    if m.isfile():
                        raw = t.extractfile(m).read()
                        path = os.path.join(folder, m.name)
                        try:
                            c["files"][path] = raw.decode()
                        except UnicodeDecodeError:
                            c["files"][path] = {"b64": base64.b64encode(raw).decode()}
                        c.setdefault("modes", {})[path] = m.mode
        except tarfile.TarError:
            raise Refusal(500, "unexpected EOF") from None
        h.engine.saved()
    h.answer(200)


@on("GET", "/images/json")
def _images(h, data):
    wanted = h.filters().get("reference", [])
    with h.engine.lock:
        h.answer(200, [dict(i, Containers=-1, Labels=None, ParentId="", SharedSize=-1,
                            VirtualSize=i["Size"]) for i in h.engine.images.values()
                       if not wanted or any(re.sub(r":[^/:]*$", "", t) in wanted or t in wanted
                                            for t in i["RepoTags"])])


@on("GET", "/images/get")
def _save(h, data):
    with h.engine.lock:
        found = [h.engine.image(n) for n in h.names]
    manifest = [{"Config": i["Id"][7:] + ".json", "RepoTags": i["RepoTags"], "Layers": []}
                for i in found]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, text in ("manifest.json", go_json(manifest)), ("layer.tar", b"x" * 100000):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            t.addfile(member, io.BytesIO(text))
    h.stream("application/x-tar")
    whole = out.getvalue()
    for at in range(0, len(whole), 32768):
        h.piece(whole[at:at + 32768])
    h.end()


@on("GET", "/images/(.+)/json")
def _image(h, ref, data):
    with h.engine.lock:
        i = h.engine.image(ref)
        h.answer(200, dict(i, Created="2026-11-21T02:59:42.399627349Z", Architecture="amd64",
                           Os="linux", VirtualSize=i["Size"], Parent="", Comment=""))


@on("DELETE", "/images/(.+)")
def _image_delete(h, ref, data):
    with h.engine.lock:
        try:
            i = h.engine.image(ref)
        except Refusal:
            raise Refusal(404, "No such image: " + ref) from None
        if ref in i["RepoTags"] and len(i["RepoTags"]) > 1:
            i["RepoTags"].remove(ref)
            h.engine.saved()
            h.answer(200, [{"Untagged": ref}])
            return
        for c in h.engine.containers.values():
            if c["image"] in i["RepoTags"] + i["RepoDigests"]:
                raise Refusal(409, "conflict: unable to remove repository reference \"%s\" (must "
                              "force) - container %s is using its referenced image %s"
                              % (ref, c["id"][:12], i["Id"][7:19]))
        del h.engine.images[i["Id"]]
        h.engine.saved()
        h.answer(200, [{"Untagged": ref}, {"Deleted": i["Id"]}])


def lookup_failed(name):
    first = name.split("/")[0]
    host = first if "/" in name and ("." in first or ":" in first or first == "localhost") \
        else "registry-1.docker.io"
    return Refusal(500, 'Get "https://%s/v2/": dial tcp: lookup %s on 198.51.100.53:53: no such '
                   'host' % (host, host.split(":")[0]))


@on("POST", "/images/create")
def _pull(h, data):
    name, tag = h.query.get("fromImage", ""), h.query.get("tag", "")
    ref = name + ("@" if tag.startswith("sha256:") else ":") + tag
    e = h.engine
    with e.lock:
        r = e.registry.get(ref)
        have = [i for i in e.images.values() if ref in i["RepoTags"] + i["RepoDigests"]]
    if not r:
        raise lookup_failed(name)
    if r.get("error"):
        raise Refusal(r.get("status", 404), r["error"])
    sha = r.get("digest") or (tag if tag.startswith("sha256:") else
                              "sha256:" + digest("manifest " + ref))
    layers = [(digest("%s %d" % (ref, n))[:12], size)
              for n, size in enumerate(r.get("layers", [1000]))]
    h.stream()
    h.told({"status": "Pulling from " + name.split("/", 1)[-1], "id": tag})
    if not have:
        pull_layers(h, layers, r)
        if r.get("stream_error"):
            h.told({"errorDetail": {"message": r["stream_error"]}, "error": r["stream_error"]})
            return h.end()
    with e.lock:
        if not have:
            e.add_image(ref, sum(n for _, n in layers) * 2, sha)
            e.saved()
    h.told({"status": "Digest: " + sha})
    h.told({"status": "Status: %s for %s" % ("Image is up to date" if have else
                                             "Downloaded newer image", ref)})
    return h.end()


def pull_layers(h, layers, r):
    for ident, _ in layers:
        h.told({"status": "Pulling fs layer", "progressDetail": {}, "id": ident})
    for ident, size in layers:
        for part in 1, 2, 4:
            h.told({"status": "Downloading", "id": ident, "progress": "[>]",
                    "progressDetail": {"current": size * part // 4, "total": size}})
            if r.get("silent"):
                try:
                    while True:
                        h.more()
                except OSError:
                    raise Left from None
        if r.get("stream_error"):
            return
        for status in "Verifying Checksum", "Download complete":
            h.told({"status": status, "progressDetail": {}, "id": ident})
    for ident, size in layers:
        h.told({"status": "Extracting", "id": ident, "progress": "[>]",
                "progressDetail": {"current": size, "total": size}})
        h.told({"status": "Pull complete", "progressDetail": {}, "id": ident})


@on("POST", "/images/load")
def _load(h, data):
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as t:
            manifest = json.loads(t.extractfile("manifest.json").read())
    except (tarfile.TarError, KeyError, ValueError):
        h.stream()
        words = "open /var/lib/docker/tmp/docker-import-1/repositories: no such file or directory"
        h.piece(go_json({"errorDetail": {"message": words}, "error": words}) + b"\n")
        return h.end()
    h.stream()
    for i in manifest:
        for tag in i.get("RepoTags") or []:
            with h.engine.lock:
                h.engine.add_image(tag, len(data))
                h.engine.saved()
            h.piece(go_json({"stream": "Loaded image: %s\n" % tag}) + b"\n")
    return h.end()


@on("GET", "/networks")
def _networks(h, data):
    f = h.filters()
    with h.engine.lock:
        h.answer(200, [dict(n, Containers={}) for n in h.engine.networks.values()
                       if all(x in n["Name"] for x in f.get("name", []))])


def network_of(h, ident):
    n = h.engine.find(h.engine.networks, ident, "network %s not found")
    inside = [c for c in h.engine.containers.values() if c["state"] == "running"
              and n["Name"] in [c["network"]] + c.get("networks", [])]
    return n, {c["id"]: {"Name": c["name"], "EndpointID": digest(c["id"]),
                         "IPv4Address": c["ip"] + "/16", "IPv6Address": ""} for c in inside}


@on("GET", "/networks/([^/]+)")
def _network(h, ident, data):
    with h.engine.lock:
        n, inside = network_of(h, ident)
        h.answer(200, dict(n, Containers=inside))


@on("POST", "/networks/create")
def _network_create(h, data):
    with h.engine.lock:
        n = h.engine.network(json.loads(data)["Name"])
        h.engine.saved()
        h.answer(201, {"Id": n["Id"], "Warning": ""})


@on("POST", "/networks/([^/]+)/(connect|disconnect)")
def _network_join(h, ident, verb, data):
    with h.engine.lock:
        n, inside = network_of(h, ident)
        c = h.engine.container(json.loads(data)["Container"])
        joined = c.setdefault("networks", [])
        if verb == "connect":
            if c["id"] in inside:
                raise Refusal(403, "endpoint with name %s already exists in network %s"
                              % (c["name"], n["Name"]))
            joined.append(n["Name"])
        elif c["id"] not in inside:
            raise Refusal(500, "container %s is not connected to network %s"
                          % (c["id"], n["Name"]))
        elif n["Name"] in joined:
            joined.remove(n["Name"])
        h.engine.saved()
        h.answer(200)


@on("DELETE", "/networks/([^/]+)")
def _network_delete(h, ident, data):
    with h.engine.lock:
        n, inside = network_of(h, ident)
        if inside:
            raise Refusal(403, "error while removing network: network %s id %s has active "
                          "endpoints" % (n["Name"], n["Id"]))
        del h.engine.networks[n["Id"]]
        h.engine.saved()
        h.answer(204)


@on("GET", "/volumes")
def _volumes(h, data):
    f = h.filters()
    with h.engine.lock:
        h.answer(200, {"Volumes": [
            {"CreatedAt": "2026-11-21T03:05:06Z", "Driver": "local", "Labels": v["labels"],
             "Mountpoint": "/var/lib/docker/volumes/%s/_data" % v["name"], "Name": v["name"],
             "Options": None, "Scope": "local"} for v in h.engine.volumes.values()
            if has_labels(v["labels"] or {}, f.get("label", []))], "Warnings": None})


@on("DELETE", "/volumes/([^/]+)")
def _volume_delete(h, name, data):
    with h.engine.lock:
        if name not in h.engine.volumes:
            raise Refusal(404, "get %s: no such volume" % name)
        used = [c["id"] for c in h.engine.containers.values() if c["volume"] == name]
        if used:
            raise Refusal(409, "remove %s: volume is in use - [%s]" % (name, ", ".join(used)))
        del h.engine.volumes[name]
        h.engine.saved()
        h.answer(204)


@on("GET", "/system/df")
def _df(h, data):
    with h.engine.lock:
        e = h.engine
        used = [c["image"] for c in e.containers.values()]
        h.answer(200, {
            "LayersSize": sum(i["Size"] for i in e.images.values()),
            "Images": [dict(i, Containers=sum(u in i["RepoTags"] + i["RepoDigests"]
                                              for u in used), SharedSize=0)
                       for i in e.images.values()],
            "Containers": [{"Id": c["id"], "SizeRw": 4096} for c in e.containers.values()],
            "Volumes": [{"Name": v["name"], "UsageData": {
                "RefCount": sum(c["volume"] == v["name"] for c in e.containers.values()),
                "Size": 8192}} for v in e.volumes.values()],
            "BuildCache": None, "BuilderSize": 0})


@on("GET", "/events")
def _events(h, data):
    f = h.filters()
    since = float(h.query.get("since") or 0)
    until = float(h.query.get("until") or 0)
    e = h.engine
    with e.lock:
        at = 0 if since else len(e.events)
    h.stream()
    while True:
        with e.lock:
            new, at = e.events[at:], len(e.events)
        for x in new:
            if x["time"] < int(since) or (until and x["time"] > until):
                continue
            if x["Type"] not in f.get("type", [x["Type"]]):
                continue
            if has_labels(x["Actor"]["Attributes"], f.get("label", [])):
                h.piece(go_json(x) + b"\n")
        if until and until <= time.time():
            return h.end()
        with e.lock:
            e.changed.wait(0.05)
        h.sock.setblocking(False)
        try:
            if not h.sock.recv(1, socket.MSG_PEEK):
                raise Left
        except BlockingIOError:
            pass
        finally:
            h.sock.setblocking(True)


# ---- what only tests send ---------------------------------------------------

@on("POST", "/_fake/containers")
def _fake_container(h, data):
    with h.engine.lock:
        c = h.engine.add_container(json.loads(data))
        h.engine.saved()
        h.answer(200, {"Id": c["id"]})


@on("DELETE", "/_fake/containers/([^/]+)")
def _fake_gone(h, ident, data):
    with h.engine.lock:
        c = h.engine.container(ident)
        del h.engine.containers[c["id"]]
        h.engine.volumes.pop(c["volume"], None)
        h.engine.event(c, "destroy")
        h.engine.saved()
        h.answer(204)


@on("POST", "/_fake/images")
def _fake_image(h, data):
    with h.engine.lock:
        spec = json.loads(data)
        i = h.engine.add_image(spec["ref"], spec.get("size", 1000), spec.get("digest"))
        h.engine.saved()
        h.answer(200, i)


@on("POST", "/_fake/registry")
def _fake_registry(h, data):
    with h.engine.lock:
        spec = json.loads(data)
        h.engine.registry[spec["ref"]] = spec
        h.engine.saved()
        h.answer(204)


@on("POST", "/_fake/info")
def _fake_info(h, data):
    with h.engine.lock:
        h.engine.info.update(json.loads(data))
        h.engine.saved()
        h.answer(204)


@on("POST", "/_fake/networks")
def _fake_network(h, data):
    with h.engine.lock:
        n = h.engine.network(json.loads(data)["name"])
        h.engine.saved()
        h.answer(200, {"Id": n["Id"]})


@on("POST", "/_fake/volumes")
def _fake_volume(h, data):
    with h.engine.lock:
        spec = json.loads(data)
        h.engine.volumes[spec["name"]] = {"name": spec["name"], "labels": spec.get("labels")}
        h.engine.saved()
        h.answer(204)


@on("GET", "/_fake/state")
def _fake_state(h, data):
    with h.engine.lock:
        h.answer(200, h.engine.dump())


@on("GET", "/_fake/requests")
def _fake_requests(h, data):
    with h.engine.lock:
        h.answer(200, h.engine.requests)


# ---- main -------------------------------------------------------------------

class Options:
    log = control = exec = state = None

    def __init__(self, argv):
        self.control = os.environ.get("FAKE_ENGINE_CONTROL")
        self.socket = argv[0]
        rest = argv[1:]
        while rest:
            if rest[0] not in ("--log", "--control", "--exec", "--state") or len(rest) < 2:
                sys.exit(__doc__)
            setattr(self, rest[0][2:], rest[1])
            rest = rest[2:]


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    options = Options(sys.argv[1:])
    engine = Engine(options)
    if os.path.exists(options.socket):
        os.unlink(options.socket)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(options.socket)
    listener.listen(64)

    def leave(*_):
        try:
            os.unlink(options.socket)
        finally:
            os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    print("ready", flush=True)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=Connection(engine, sock).serve, daemon=True).start()


if __name__ == "__main__":
    main()
