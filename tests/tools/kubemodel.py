#!/usr/bin/env python3
"""A model of an API server's memory, held against a real one.

usage: kubemodel.py KUBECONFIG [--seed N] [--steps N] [--prefix TEXT]
                    [--serve 'COMMAND...' [--calm]]           prints TAP

Random writes by several managers on two kinds in two namespaces: create, put
(fresh and stale), merge and JSON patches, server-side apply with and without
force, status, deletes with and without preconditions, deletecollection. What
must come of each is computed here: its status, its fields, who owns each of
them, whether the resourceVersion moves. After each step a watch may be started
at any earlier revision, with or without a selector; a list may be asked for at
an earlier revision, whole or in pages that go on while others write. In the
end each watch must have told exactly what happened after its revision:
list + events = later list.
With --serve the server is started here by that command and, without --calm,
killed (kill -9) at random steps and started again: watches then go on from
their last revision.
"""
import argparse
import copy
import http.client
import json
import random
import shlex
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

MANAGERS = ["ann", "bob", "cho"]
KEYS = ["a", "b", "c", "d"]
APPS = ["x", "y"]


class Server:
    def __init__(self, kubeconfig, serve):
        self.kubeconfig, self.serve, self.process = kubeconfig, serve, None
        if serve:
            self.start()
        out = subprocess.run(["kubectl", "--kubeconfig", kubeconfig, "config", "view", "--raw",
                              "--minify", "-o", "json"], capture_output=True, check=True).stdout
        c = json.loads(out)
        self.url = urllib.parse.urlsplit(c["clusters"][0]["cluster"]["server"])
        self.token = c["users"][0]["user"].get("token", "")
        self.tls = ssl._create_unverified_context()
        self.kept = None

    def start(self):
        self.process = subprocess.Popen(shlex.split(self.serve), stdout=subprocess.PIPE, text=True)
        if "serving" not in self.process.stdout.readline():
            raise SystemExit("the server does not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kept = None
        self.start()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def connect(self):
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=30, context=self.tls)

    def ask(self, method, path, body=None, kind="application/json"):
        """(status, parsed body); connections are kept."""
        headers = {"Authorization": "Bearer " + self.token, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
        for again in (True, False):
            self.kept = self.kept or self.connect()
            try:
                self.kept.request(method, path, None if body is None else json.dumps(body), headers)
                r = self.kept.getresponse()
                text = r.read()
                return r.status, json.loads(text) if text[:1] == b"{" else text.decode()
            except (OSError, http.client.HTTPException):
                self.kept = None
                if not again:
                    raise


class Kind:
    """How to write and read the free fields of a kind: a map of texts."""

    def __init__(self, path, api, kind, field, status):
        self.path, self.api, self.kind, self.field, self.status = path, api, kind, field, status

    def at(self, ns, name=""):
        return self.path.replace("NS", ns) + ("/" + name if name else "")

    def wrap(self, values):
        return {"data": values} if self.field == "data" else {"spec": {"values": values}}

    def object(self, ns, name, values, app=None, version=None):
        meta = {"name": name, "namespace": ns}
        if app:
            meta["labels"] = {"app": app}
        if version:
            meta["resourceVersion"] = version
        return {"apiVersion": self.api, "kind": self.kind, "metadata": meta, **self.wrap(dict(values))}

    def values(self, o):
        return dict((o.get("data") if self.field == "data" else o.get("spec", {}).get("values")) or {})

    def pointer(self, name):
        return ("/data/" if self.field == "data" else "/spec/values/") + name

    def owned(self, entry):
        """The values that a managedFields entry names."""
        f = entry.get("fieldsV1") or {}
        f = f.get("f:data", {}) if self.field == "data" else f.get("f:spec", {}).get("f:values", {})
        return {k[2:] for k in f if k[:2] == "f:"}


DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "modelled.model.example.org"},
    "spec": {
        "group": "model.example.org", "scope": "Namespaced",
        "names": {"plural": "modelled", "kind": "Modelled"},
        "versions": [{
            "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "properties": {
                    "values": {"type": "object", "additionalProperties": {"type": "string"}}}},
                "status": {"type": "object", "properties": {"size": {"type": "integer"}}}}}}}]}}
KINDS = [
    Kind("/api/v1/namespaces/NS/configmaps", "v1", "ConfigMap", "data", False),
    Kind("/apis/model.example.org/v1/namespaces/NS/modelled", "model.example.org/v1", "Modelled", "spec", True),
]


class Held:
    """An object as the model knows it."""

    def __init__(self, o):
        self.o = o
        self.owners = {}  # (manager, operation) -> set of values

    @property
    def version(self):
        return self.o["metadata"]["resourceVersion"]


class Watch(threading.Thread):
    """Reads one watch; goes on from its last revision when the server dies."""

    def __init__(self, server, path, since, selector):
        super().__init__(daemon=True)
        self.server, self.path, self.since, self.selector = server, path, since, selector
        self.events, self.gone, self.stopped, self.trouble = [], False, False, None
        self.at = since
        self.start()

    def run(self):
        while not (self.stopped or self.gone):
            try:
                self.once()
            except (OSError, http.client.HTTPException, ValueError) as e:
                self.trouble = e
                time.sleep(0.02)

    def once(self):
        c = self.server.connect()
        q = f"?watch=true&resourceVersion={self.at}&allowWatchBookmarks=true"
        if self.selector:
            q += "&labelSelector=app%3D" + self.selector
        c.request("GET", self.path + q, headers={"Authorization": "Bearer " + self.server.token})
        r = c.getresponse()
        if r.status != 200:
            raise ValueError(f"the watch is answered {r.status}: {r.read(300)}")
        while not self.stopped:
            line = r.readline()
            if not line:
                return
            e = json.loads(line)
            if e["type"] == "ERROR":
                self.gone = e["object"].get("code") == 410
                self.trouble = e["object"].get("message")
                return
            self.at = e["object"]["metadata"]["resourceVersion"]
            if e["type"] != "BOOKMARK":
                self.events.append((e["type"], e["object"]))


class Model:
    def __init__(self, server, seed, prefix):
        self.server, self.rnd = server, random.Random(seed)
        self.spaces = [prefix + "one", prefix + "two"]
        self.held = {}      # (kind, ns, name) -> Held
        self.history = []   # (revision, type, key, object after or last)
        self.watches, self.shots, self.out = [], [], []
        self.restarts = self.gone = 0

    def bad(self, what, text):
        self.out.append(f"{what}: {text}")

    # ---- what happens ----

    def happened(self, kind, key, op, o):
        self.history.append((int(o["metadata"]["resourceVersion"]), op, key, copy.deepcopy(o)))

    def expect(self, what, got, want):
        if got[0] not in want:
            self.bad(what, f"answered {got[0]}, must be {want}: {json.dumps(got[1])[:400]}")
            return False
        return got[0] < 300

    def took(self, what, key, reply, values, app, owners):
        """A write went through: the answer is held against the model."""
        k, before = KINDS[key[0]], self.held.get(key)
        if k.values(reply) != values:
            self.bad(what, f"values are {k.values(reply)}, must be {values}")
        if (reply["metadata"].get("labels") or {}).get("app") != app:
            self.bad(what, f"label is {reply['metadata'].get('labels')}, must be {app}")
        if before and reply == before.o:
            return
        if before and int(reply["metadata"]["resourceVersion"]) <= int(before.version):
            self.bad(what, f"revision went from {before.version} to {reply['metadata']['resourceVersion']}")
        h = Held(reply)
        h.owners = owners
        got = {(e["manager"], e["operation"]): k.owned(e) for e in reply["metadata"].get("managedFields") or []
               if not e.get("subresource") and k.owned(e)}
        if got != {m: v for m, v in owners.items() if v}:
            self.bad(what, f"owners are {sorted((m, sorted(v)) for m, v in got.items())}, must be "
                           f"{sorted((m, sorted(v)) for m, v in owners.items() if v)}")
            h.owners = got
        self.held[key] = h
        self.happened(k, key, "MODIFIED" if before else "ADDED", reply)

    def app_of(self, key):
        h = self.held.get(key)
        return (h.o["metadata"].get("labels") or {}).get("app") if h else None

    def some(self):
        v = {k: str(self.rnd.randint(1, 3)) for k in KEYS if self.rnd.random() < 0.5}
        return v or {"a": "1"}

    @staticmethod
    def updated(h, before, after, manager):
        """Who owns what after an update (structured-merge-diff's Update); an
        object without managedFields stays without (skipnonapplied)."""
        owners = h.owners
        if not h.o["metadata"].get("managedFields"):
            return {}
        changed = {k for k in after if before.get(k) != after[k]}
        lost = {k for k in before if k not in after}
        new = {m: {v for v in f if v not in lost and (m == (manager, "Update") or v not in changed)}
               for m, f in owners.items()}
        new.setdefault((manager, "Update"), set()).update(changed)
        return new

    # ---- the writes ----

    def create(self, key, manager):
        k, values, app = KINDS[key[0]], self.some(), self.rnd.choice(APPS)
        what = f"create {key[1:]} by {manager}"
        r = self.server.ask("POST", k.at(key[1]) + "?fieldManager=" + manager, k.object(key[1], key[2], values, app))
        if self.expect(what, r, [409] if key in self.held else [201]):
            self.took(what, key, r[1], values, app, {(manager, "Update"): set(values)})

    def put(self, key, manager):
        h, k, values, app = self.held.get(key), KINDS[key[0]], self.some(), self.rnd.choice(APPS)
        stale = h and self.rnd.random() < 0.3
        version = str(int(h.version) - 1) if stale else h.version if h else "1"
        what = f"put {key[1:]} by {manager} at {version}"
        r = self.server.ask("PUT", k.at(*key[1:]) + "?fieldManager=" + manager,
                            k.object(key[1], key[2], values, app, version))
        # a PUT of what is not there: 404 on the real one
        if self.expect(what, r, [404] if not h else [409] if stale else [200]):
            self.took(what, key, r[1], values, app, self.updated(h, k.values(h.o), values, manager))

    def patch(self, key, manager):
        h, k, name = self.held.get(key), KINDS[key[0]], self.rnd.choice(KEYS)
        before = k.values(h.o) if h else {}
        after, app = dict(before), self.app_of(key)
        if self.rnd.random() < 0.3:
            app = self.rnd.choice(APPS)
            body, kind = {"metadata": {"labels": {"app": app}}}, "application/merge-patch+json"
        elif name in before and self.rnd.random() < 0.5:
            del after[name]
            if self.rnd.random() < 0.5:
                body, kind = [{"op": "remove", "path": k.pointer(name)}], "application/json-patch+json"
            else:
                body, kind = k.wrap({name: None}), "application/merge-patch+json"
        else:
            after[name] = str(self.rnd.randint(1, 3))
            body, kind = k.wrap({name: after[name]}), "application/merge-patch+json"
        what = f"patch {key[1:]} by {manager} {json.dumps(body)}"
        r = self.server.ask("PATCH", k.at(*key[1:]) + "?fieldManager=" + manager, body, kind)
        if self.expect(what, r, [200] if h else [404]):
            self.took(what, key, r[1], after, app, self.updated(h, before, after, manager))

    def apply(self, key, manager):
        h, k, values, force = self.held.get(key), KINDS[key[0]], self.some(), self.rnd.random() < 0.4
        app = self.app_of(key)
        what = f"apply {key[1:]} by {manager} force={force} {values}"
        r = self.server.ask("PATCH", k.at(*key[1:]) + f"?fieldManager={manager}&force={str(force).lower()}",
                            k.object(key[1], key[2], values), "application/apply-patch+yaml")
        me = (manager, "Apply")
        if not h:
            if self.expect(what, r, [201]):
                self.took(what, key, r[1], values, None, {me: set(values)})
            return
        before = k.values(h.o)
        if not h.o["metadata"].get("managedFields"):
            h.owners = {("before-first-apply", "Update"): set(before)}
        fight = {v for v in values if v in before and before[v] != values[v]
                 for m, f in h.owners.items() if m != me and v in f}
        if not self.expect(what, r, [409] if fight and not force else [200]):
            if r[0] == 409:
                named = {c["field"] for c in r[1]["details"]["causes"]}
                want = {k.pointer(v).replace("/", ".") for v in fight}
                if named != want:
                    self.bad(what, f"conflicts name {named}, must name {want}")
            return
        new = {m: (f - fight if m != me else f) for m, f in h.owners.items()}
        given_up = {v for v in h.owners.get(me, set()) if v not in values and
                    not any(v in f for m, f in new.items() if m != me)}
        after = {n: v for n, v in {**before, **values}.items() if n not in given_up}
        new[me] = set(values)
        self.took(what, key, r[1], after, app, new)

    def status(self, key, manager):
        h, k = self.held.get(key), KINDS[key[0]]
        if not k.status:
            return
        what = f"status of {key[1:]}"
        r = self.server.ask("PATCH", k.at(*key[1:]) + "/status?fieldManager=" + manager,
                            {"status": {"size": self.rnd.randint(0, 5)}}, "application/merge-patch+json")
        if self.expect(what, r, [200] if h else [404]):
            if h.o["metadata"]["generation"] != r[1]["metadata"]["generation"]:
                self.bad(what, "moved the generation")
            self.took(what, key, r[1], k.values(h.o), self.app_of(key), h.owners)

    def gone_now(self, key, revision=None):
        """Deleted: the revision of a delete is in no answer; the watches tell."""
        h = self.held.pop(key)
        self.history.append((revision, "DELETED", key, copy.deepcopy(h.o)))

    def delete(self, key, manager):
        h, k = self.held.get(key), KINDS[key[0]]
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        wrong = self.rnd.random() < 0.3
        if wrong:
            body["preconditions"] = {"uid": "00000000-0000-0000-0000-000000000000"}
        r = self.server.ask("DELETE", k.at(*key[1:]), body)
        if self.expect(f"delete {key[1:]}", r, [404] if not h else [409] if wrong else [200]):
            self.gone_now(key)

    def delete_some(self, key, manager):
        if self.rnd.random() < 0.7:
            return
        k, app = KINDS[key[0]], self.rnd.choice(APPS)
        r = self.server.ask("DELETE", k.at(key[1]) + "?labelSelector=app%3D" + app)
        if self.expect(f"deletecollection {key[1]} {app}", r, [200]):
            for other in [o for o in sorted(self.held) if o[:2] == key[:2] and self.app_of(o) == app]:
                self.gone_now(other)

    # ---- what is asked ----

    def now(self):
        return int(self.server.ask("GET", KINDS[0].at(self.spaces[0]) + "?limit=1")[1]["metadata"]["resourceVersion"])

    def current(self, kind, ns):
        return {key[2]: h.o for key, h in self.held.items() if key[:2] == (kind, ns)}

    def shoot(self):
        """Remembers how everything is at a revision of now."""
        self.shots.append((self.now(), {(i, ns): copy.deepcopy(self.current(i, ns))
                                        for i in range(len(KINDS)) for ns in self.spaces}))

    def named(self, items):
        found = {}
        for o in items:
            o = {key: v for key, v in o.items() if key not in ("apiVersion", "kind")}
            found[o["metadata"]["name"]] = o
        return found

    def same_list(self, what, items, want):
        got, want = self.named(items), self.named(want.values())
        if got != want:
            names = [n for n in sorted(set(got) | set(want)) if got.get(n) != want.get(n)]
            self.bad(what, f"differs in {names}: {json.dumps(got.get(names[0]))} instead of {json.dumps(want.get(names[0]))}")

    def look(self):
        """Lists as they were at an earlier revision, whole or in pages."""
        revision, shot = self.rnd.choice(self.shots)
        (i, ns), want = self.rnd.choice(sorted(shot.items(), key=lambda s: s[0]))
        want = {n: o for n, o in want.items() if n != "kube-root-ca.crt"}
        pages, token, items = self.rnd.random() < 0.5, None, []
        while True:
            q = f"?limit=2&continue={urllib.parse.quote(token)}" if token else \
                f"?resourceVersion={revision}&resourceVersionMatch=Exact" + ("&limit=2" if pages else "")
            code, r = self.server.ask("GET", KINDS[i].at(ns) + q)
            if code == 410:
                self.gone += 1
                return
            if not self.expect(f"list {i} {ns} at {revision}", (code, r), [200]):
                return
            if r["metadata"]["resourceVersion"] != str(revision):
                self.bad("list", f"is of {r['metadata']['resourceVersion']}, must be of {revision}")
            items += [o for o in r["items"] if o["metadata"]["name"] != "kube-root-ca.crt"]
            token = r["metadata"].get("continue")
            if not token:
                break
            self.write()
        self.same_list(f"list {i} {ns} at {revision}", items, want)

    def watch(self):
        revision, shot = self.rnd.choice(self.shots[-8:])
        (i, ns), was = self.rnd.choice(sorted(shot.items(), key=lambda s: s[0]))
        w = Watch(self.server, KINDS[i].at(ns), str(revision), self.rnd.choice([None, None] + APPS))
        w.kind, w.ns, w.was = i, ns, was
        self.watches.append(w)

    def write(self):
        key = (self.rnd.randrange(len(KINDS)), self.rnd.choice(self.spaces), "o" + str(self.rnd.randrange(4)))
        op = self.rnd.choices([self.create, self.put, self.patch, self.apply, self.status, self.delete, self.delete_some],
                              [4, 3, 4, 6, 2, 2, 1])[0]
        op(key, self.rnd.choice(MANAGERS))

    def step(self, n):
        self.write()
        if self.rnd.random() < 0.15:
            self.shoot()
        if self.rnd.random() < 0.08:
            self.look()
        if self.rnd.random() < 0.04 and len(self.watches) < 60:
            self.watch()
        if self.kills and self.rnd.random() < 0.02:
            self.restarts += 1
            self.server.kill()

    # ---- the end ----

    def told(self, w):
        """What a watch must have told: (type, object or None for any)."""
        match = lambda o: not w.selector or (o["metadata"].get("labels") or {}).get("app") == w.selector
        state = {n: copy.deepcopy(o) for n, o in w.was.items()}
        out = []
        for revision, op, key, o in self.history[w.mark:]:
            if key[:2] != (w.kind, w.ns):
                continue
            old = state.get(key[2])
            if op == "DELETED":
                state.pop(key[2], None)
                if old is not None and match(old):
                    out.append(("DELETED", old))
                continue
            state[key[2]] = o
            if match(o):
                out.append(("MODIFIED" if old is not None and match(old) else "ADDED", o))
            elif old is not None and match(old):
                out.append(("DELETED", old))
        return out

    @staticmethod
    def strip(e):
        """An event to compare: that of a delete has a revision of its own."""
        o = copy.deepcopy(e[1])
        o.pop("apiVersion", None)
        o.pop("kind", None)
        if e[0] == "DELETED":
            o["metadata"].pop("resourceVersion", None)
        return e[0], o

    def finish(self):
        """Marks the end in each collection and waits until each watch saw it."""
        for i, k in enumerate(KINDS):
            for ns in self.spaces:
                for app in APPS:
                    key = (i, ns, "zz-" + app)
                    r = self.server.ask("POST", k.at(ns) + "?fieldManager=ann", k.object(ns, key[2], {"a": "1"}, app))
                    if self.expect("the end", r, [201]):
                        self.took("the end", key, r[1], {"a": "1"}, app, {("ann", "Update"): {"a"}})
        for w in self.watches:
            last, end = "zz-" + (w.selector or APPS[-1]), time.monotonic() + 20
            while not w.gone and time.monotonic() < end and \
                    not any(o["metadata"]["name"] == last for _, o in w.events):
                time.sleep(0.01)
            w.stopped = True

    def judge(self):
        for w in self.watches:
            what = f"watch of {KINDS[w.kind].kind} in {w.ns} from {w.since} selector {w.selector}"
            if w.gone:
                self.gone += 1
                continue
            got = [self.strip(e) for e in w.events if e[1]["metadata"]["name"] != "kube-root-ca.crt"]
            want = [self.strip(e) for e in self.told(w)]
            versions = [int(o["metadata"]["resourceVersion"]) for _, o in w.events]
            if versions != sorted(set(versions)):
                self.bad(what, f"revisions do not rise: {versions}")
            if got != want:
                i = next((i for i, (g, x) in enumerate(zip(got, want)) if g != x), min(len(got), len(want)))
                self.bad(what, f"told {len(got)} events, must tell {len(want)}; the first that differs, {i}: "
                               f"{json.dumps(got[i:i + 1])} instead of {json.dumps(want[i:i + 1])} ({w.trouble})")
        for i in range(len(KINDS)):
            for ns in self.spaces:
                items = self.server.ask("GET", KINDS[i].at(ns))[1]["items"]
                self.same_list(f"the last list {i} {ns}",
                               [o for o in items if o["metadata"]["name"] != "kube-root-ca.crt"], self.current(i, ns))


def tap(n, name, out):
    print(f"{'not ok' if out else 'ok'} {n} - {name}")
    for line in out[:20]:
        print("# " + line[:1500])


def main():
    a = argparse.ArgumentParser()
    a.add_argument("kubeconfig")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--steps", type=int, default=500)
    a.add_argument("--prefix", default="model-")
    a.add_argument("--serve")
    a.add_argument("--calm", action="store_true")
    a = a.parse_args()
    server = Server(a.kubeconfig, a.serve)
    m = Model(server, a.seed, a.prefix)
    m.kills = bool(a.serve) and not a.calm
    server.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION)
    for ns in m.spaces:
        server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": ns}})
        while server.ask("GET", KINDS[1].at(ns))[0] != 200:
            time.sleep(0.05)
    m.shoot()
    marks = {m.shots[0][0]: 0}
    watch, shoot = m.watch, m.shoot

    def shoot_marked():
        shoot()
        marks[m.shots[-1][0]] = len(m.history)
    def watch_marked():
        watch()
        m.watches[-1].mark = marks[int(m.watches[-1].since)]
    m.shoot, m.watch = shoot_marked, watch_marked
    for n in range(a.steps):
        m.step(n)
    writes, m.out = m.out, []
    tap(1, f"{a.steps} random writes come out as the model says (seed {a.seed})", writes)
    m.finish()
    m.judge()
    tap(2, f"{len(m.watches)} watches and lists from earlier revisions tell exactly what happened", m.out)
    tap(3, "there were watches and writes to judge", [] if m.watches and len(m.history) > a.steps // 4 else ["none"])
    print(f"# {len(m.history)} changes, {m.restarts} restarts, {m.gone} answers 410")
    for ns in m.spaces:
        server.ask("DELETE", "/api/v1/namespaces/" + ns)
    server.stop()
    print("1..3")
    sys.exit(1 if writes or m.out else 0)


main()
