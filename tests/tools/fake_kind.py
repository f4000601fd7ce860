#!/usr/bin/env python3
"""The kind program without nodes, for tests. It talks as kind 0.33.0 did in
the recordings of tests/wire/kind; a cluster it makes is a container of
tests/tools/fake_engine.py and a `meshtop sandbox serve` as its API server.
Put it on PATH as "kind" (a link will do).

usage: as kind's: version | create cluster --name N --config F --kubeconfig K
       [...] | delete cluster --name N

Environment:
  DOCKER_HOST     unix://SOCKET of the fake engine
  FAKE_KIND       a file; its first line is what `create cluster` does:
    ok                    makes the cluster (also without a file)
    replay FILE           says what the recording says and ends as it ended
    half created|running  makes a node in that state, dies by SIGKILL
    stuck N               as ok, but the node can be deleted at attempt N + 1
    nokubeconfig          makes the cluster, dies before its last words
    kubelet               says that kubeadm begins, a kubelet that dies, waits
    boots                 the node ends at once, kind waits
    freezes               the node's log has last words, kind waits
    hang                  a node and nothing more, until it is ended
  FAKE_KIND_LOG   a line for each start: argv and what the environment says
  MESHTOP         the program to run as API server

The server ends when its container is gone, or the engine.
"""
import sys

VERSION = "kind v0.33.0 go1.26.8 linux/amd64"
if __name__ == "__main__" and sys.argv[1:] == ["version"]:
    print(VERSION)  # asked often: before all that is slow to load
    sys.exit(0)

import ctypes
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse

WIRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../wire/kind")
LABEL = "io.x-k8s.kind.cluster"


class Engine(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("engine", timeout=20)

    def connect(self):
        host = os.environ.get("DOCKER_HOST", "")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(host.removeprefix("unix://"))


def ask(method, path, body=None):
    """Status and parsed answer of the engine."""
    c = Engine()
    c.request(method, path, json.dumps(body) if body is not None else None,
              {"Content-Type": "application/json"})
    r = c.getresponse()
    text = r.read()
    c.close()
    try:
        return r.status, json.loads(text or b"null")
    except ValueError:
        return r.status, None


def nodes_of(cluster):
    filters = json.dumps({"label": [f"{LABEL}={cluster}"]})
    status, answer = ask("GET", "/containers/json?all=1&filters=" +
                         urllib.parse.quote(filters))
    return [c["Names"][0].lstrip("/") for c in answer or []]


def say(text):
    print(text, file=sys.stderr, flush=True)


def step(text):
    say(f" \u2022 {text}  ...")


def done(text):
    say(f" \u2713 {text}")


def wait_to_be_ended():
    while True:
        signal.pause()


def replay(name):
    """The recorded standard error; then the recorded end."""
    on, code = False, 0
    for line in open(os.path.join(WIRE, name), encoding="utf-8"):
        m = re.match(r"# exit: (-?\d+)", line)
        if m:
            code = int(m.group(1))
        if line.startswith("## "):
            on = line.startswith("## stderr")
        elif on:
            say(line.rstrip("\n"))
    if code < 0:
        os.kill(os.getpid(), -code)
    sys.exit(code)


# ---- the API server -------------------------------------------------------

def api(conf, method, path, body=None, kind="application/json"):
    field = lambda name: re.search(name + r": (\S+)", conf).group(1)
    where = urllib.parse.urlparse(field("server"))
    context = ssl._create_unverified_context()
    c = http.client.HTTPSConnection(where.hostname, where.port, timeout=20,
                                    context=context)
    c.request(method, path, json.dumps(body) if body is not None else None,
              {"Authorization": "Bearer " + field("token"),
               "Content-Type": kind})
    r = c.getresponse()
    text = r.read()
    c.close()
    if r.status >= 300 and r.status != 409:
        say(f"fake kind: {method} {path}: {r.status} {text.decode()}")
    return r.status


READY = {"status": {"conditions": [{
    "type": "Ready", "status": "True", "reason": "KubeletReady",
    "message": "kubelet is posting ready status",
    "lastHeartbeatTime": "2026-11-21T03:23:11Z",
    "lastTransitionTime": "2026-11-21T03:23:11Z"}]}}


def coredns():
    labels = {"k8s-app": "kube-dns"}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {
                         "containers": [{
                             "name": "coredns",
                             "image": "registry.k8s.io/coredns/coredns:v1"}]}}}}


def fill(conf, nodes):
    """What every Kind cluster has."""
    for name, role in nodes:
        meta = {"name": name, "labels": {"kubernetes.io/hostname": name}}
        api(conf, "POST", "/api/v1/nodes",
            {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {}})
        api(conf, "PATCH", f"/api/v1/nodes/{name}/status", READY,
            "application/merge-patch+json")
    api(conf, "POST", "/apis/apps/v1/namespaces/kube-system/deployments",
        coredns())


def guard(server, node):
    """Ends the server when its node is gone."""
    while server.poll() is None:
        time.sleep(0.2)
        try:
            if ask("GET", f"/containers/{node}/json")[0] == 404:
                break
        except OSError:
            break
    server.kill()


def serve(node):
    """Starts a server of its own session; answers its kubeconfig and a
    descriptor: closed, it sends the server's guard on duty (the container is
    there)."""
    ready_r, ready_w = os.pipe()
    go_r, go_w = os.pipe()
    for fd in (ready_w, go_r):
        os.set_inheritable(fd, True)
    subprocess.Popen([sys.executable, os.path.realpath(__file__), "serve-api",
                      node, str(ready_w), str(go_r)], close_fds=False,
                     start_new_session=True, stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(ready_w)
    os.close(go_r)
    text = b""
    while True:
        piece = os.read(ready_r, 65536)
        if not piece:
            return text.decode(), go_w
        text += piece


def serve_api(node, ready, go):
    """A process of its own: whoever ends kind does not end the cluster."""
    folder = tempfile.mkdtemp(prefix="fake-kind-")
    conf = os.path.join(folder, "conf")
    server = subprocess.Popen(
        [os.environ["MESHTOP"], "sandbox", "serve", "--listen", "127.0.0.1:0",
         "--data", ":memory:", "--kubeconfig-out", conf],
        stdout=subprocess.PIPE, env=dict(os.environ, HOME=folder,
                                         XDG_STATE_HOME=folder),
        preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
    server.stdout.readline()
    os.write(ready, open(conf, "rb").read())
    os.close(ready)
    subprocess.call(["rm", "-rf", folder])
    os.read(go, 1)
    guard(server, node)


# ---- clusters -------------------------------------------------------------

def plan(config, cluster):
    """(name, role) of each node, and the ports of the first."""
    names, seen = [], {}
    for role in re.findall(r"^- role: (\S+)", config, re.M):
        seen[role] = seen.get(role, 0) + 1
        number = seen[role] if seen[role] > 1 else ""
        names.append((f"{cluster}-{role}{number}", role))
    return names


def image_of(config):
    m = re.search(r"^ +image: (.*)$", config, re.M)
    return m.group(1).strip("'\"") if m else "kindest/node:v1.37.0"


def container(name, role, cluster, config, **more):
    body = {"name": name, "image": image_of(config), "network": "kind",
            "labels": {LABEL: cluster, "io.x-k8s.kind.role": role},
            "state": "running", "tty": True, "volume": True,
            "exec": [{"match": "systemctl show kubelet", "out": "0\n"}],
            "logs": ["INFO: detected cgroup v1",
                     "[  OK  ] Reached target Multi-User System."],
            "files": {"/kind/version": "v1.34.4"}}
    body.update(more)
    status, answer = ask("POST", "/_fake/containers", body)
    if status >= 300:
        sys.exit(f"ERROR: fake engine: {status} {answer}")


def renamed(conf, cluster):
    """The server's kubeconfig with kind's names in it."""
    name = re.search(r"current-context: (\S+)", conf).group(1)
    return re.sub(rf"\b{re.escape(name)}$", "kind-" + cluster, conf,
                  flags=re.M)


FROZEN = ("Could not kill running container, cannot remove - tried to kill "
          "container, but did not receive an exit event")


def make(cluster, config, out, last_words=True, stuck=0):
    nodes = plan(config, cluster)
    image = image_of(config).split("@")[0]
    say(f'Creating cluster "{cluster}" ...')
    step(f"Ensuring node image ({image}) \U0001f5bc\ufe0f")
    done(f"Ensuring node image ({image}) \U0001f5bc\ufe0f")
    step("Preparing nodes \U0001f4e6 ")
    conf, go = serve(nodes[0][0])
    port = int(re.search(r"server: https://127.0.0.1:(\d+)", conf).group(1))
    conf = renamed(conf, cluster)
    for name, role in nodes:
        container(name, role, cluster, config, **(
            {"ports": {"6443/tcp": port},
             "files": {"/kind/version": "v1.34.4",
                       "/etc/kubernetes/admin.conf": conf}}
            if role == "control-plane" else {}),
            **({"delete_error": FROZEN, "delete_errors": stuck} if stuck else {}))
    os.close(go)
    done("Preparing nodes \U0001f4e6 ")
    step("Starting control-plane \U0001f579\ufe0f")
    fill(conf, nodes)
    done("Starting control-plane \U0001f579\ufe0f")
    if not last_words:
        os.kill(os.getpid(), signal.SIGKILL)
    fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(fd, conf.encode())
    os.close(fd)
    say(f'Set kubectl context to "kind-{cluster}"')


def first_steps(cluster):
    say(f'Creating cluster "{cluster}" ...')
    step("Ensuring node image (x) \U0001f5bc\ufe0f")
    done("Ensuring node image (x) \U0001f5bc\ufe0f")
    step("Preparing nodes \U0001f4e6 ")


def create(mode, cluster, config, out):
    if nodes_of(cluster):
        say("ERROR: failed to create cluster: node(s) already exist for a "
            f'cluster with the name "{cluster}"')
        sys.exit(1)
    word, _, rest = mode.partition(" ")
    if word == "replay":
        replay(rest)
    if word in ("ok", "nokubeconfig", "stuck"):
        make(cluster, config, out, word != "nokubeconfig", int(rest or 0))
        return
    node = plan(config, cluster)[0][0]
    first_steps(cluster)
    if word == "half":
        container(node, "control-plane", cluster, config, state=rest)
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "boots":
        container(node, "control-plane", cluster, config, state="exited",
                  exit_code=255, logs=["Detected virtualization docker.",
                                       "bash: cannot set terminal"])
    elif word == "freezes":
        container(node, "control-plane", cluster, config, logs=[
            "Failed to create control group inotify object: Too many open "
            "files", "Failed to allocate manager object: Too many open files",
            "[!!!!!!] Failed to allocate manager object."])
    elif word == "kubelet":
        container(node, "control-plane", cluster, config, exec=[
            {"match": "systemctl show kubelet", "out": "9\n"},
            {"match": "journalctl", "out": "kubelet: starting\nE1121 "
             "run.go:72] command failed err: no such flag --nope\n"}])
        done("Preparing nodes \U0001f4e6 ")
        step("Starting control-plane \U0001f579\ufe0f ")
    else:
        container(node, "control-plane", cluster, config)
    wait_to_be_ended()


def option(argv, name):
    return argv[argv.index(name) + 1] if name in argv else None


def log_start(argv):
    path = os.environ.get("FAKE_KIND_LOG")
    if path:
        names = ("DOCKER_HOST", "DOCKER_CONTEXT", "KUBECONFIG",
                 "KIND_EXPERIMENTAL_PROVIDER",
                 "KIND_EXPERIMENTAL_DOCKER_NETWORK")
        with open(path, "a") as f:
            f.write(" ".join(argv) + " | " + " ".join(
                f"{n}={os.environ.get(n, '-')}" for n in names) + "\n")


def main(argv):
    if argv[:1] == ["serve-api"]:
        serve_api(argv[1], int(argv[2]), int(argv[3]))
        return
    log_start(argv)
    if argv[:2] == ["delete", "cluster"]:
        cluster = option(argv, "--name")
        say(f'Deleting cluster "{cluster}" ...')
        for node in nodes_of(cluster):
            ask("DELETE", f"/containers/{node}?force=1&v=1")
        return
    if argv[:2] != ["create", "cluster"]:
        sys.exit("ERROR: unknown command")
    path = os.environ.get("FAKE_KIND", "")
    mode = open(path).readline().strip() if os.path.exists(path) else "ok"
    create(mode, option(argv, "--name"), open(option(argv, "--config")).read(),
           option(argv, "--kubeconfig"))


if __name__ == "__main__":
    main(sys.argv[1:])
