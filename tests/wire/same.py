"""Is an answer of one Kubernetes API server the answer of another one?

Equal is what a client cannot tell apart: JSON as values, times as times, and
what no two servers share (uids, resourceVersions, tokens, generated names,
hashes) as pairs: a value of the one server stands for one value of the other,
always. resourceVersions of collections only have to rise together, because a
server may write behind its clients' backs. Bookmarks come when a server likes:
that some came is compared, not how many.
"""
import base64
import json
import re

TIMES = {"creationTimestamp", "time", "deletionTimestamp", "firstTimestamp",
         "lastTimestamp", "eventTime", "lastTransitionTime", "renewTime",
         "acquireTime", "lastUpdateTime", "buildDate", "expirationTimestamp"}
PAIRED = {"uid", "resourceVersion", "continue", "storageVersionHash", "hash"}
# Headers of which only the presence is compared, and those that are the
# connection's business.
PRESENT = {"audit-id", "etag", "last-modified",
           "x-kubernetes-pf-flowschema-uid", "x-kubernetes-pf-prioritylevel-uid"}
QUIET = {"date", "content-length", "connection", "transfer-encoding"}
GENERATED = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$")
UID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Lists whose items have a name that makes them the same.
NAMES = {"groups": "name", "resources": "name", "subresources": "subresource",
         "conditions": "type", "causes": None}


class Pairs:
    """Which value of the one server stands for which of the other."""

    def __init__(self):
        self.forward, self.back, self.lists = {}, {}, []

    def same(self, want, got):
        if self.forward.get(want, got) != got or self.back.get(got, want) != want:
            return False
        self.forward[want], self.back[got] = got, want
        return True

    def rising(self, want, got):
        """Of collections: never the other way round."""
        if not (want.isdigit() and got.isdigit()):
            return want == got
        w, g = int(want), int(got)
        bad = any((w < a and g > b) or (w > a and g < b) for a, b in self.lists[-20:])
        self.lists.append((w, g))
        self.forward.setdefault(want, got)
        return not bad

    def token(self, text):
        """A continue token of a revision that is another one here."""
        try:
            t = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            t["rv"] = int(self.forward[str(t["rv"])])
        except (ValueError, KeyError, TypeError):
            return text
        said = json.dumps(t, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(said).decode().rstrip("=")

    def insert(self, text):
        def put(m):
            return m.group(1) + self.forward.get(m.group(2), self.token(m.group(2)))
        text = re.sub(r'((?:resourceVersion|continue)(?:=|": ?"))([^"&\s]+)', put, text)
        text = re.sub(r'()("[0-9A-Fa-f]{64,128}")', put, text)
        text = re.sub("()(" + UID + ")", put, text)
        return re.sub(r"()([a-z0-9.-]+-[bcdfghjklmnpqrstvwxz2456789]{5})\b", put, text)


def blur(text):
    """Words without what depends on the moment or the address."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|127\.0\.0\.1(:\d+)?|HOST|" + UID, "*", text)
    text = re.sub(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+", "<jwt>", text)
    text = re.sub(r"(current: |resource version: \d+ \(|in record \()\d+", r"\1*", text)
    return re.sub(r"^\d+[smhd](\d+[smh])?$", "*s", text)  # ages in Tables


def short(v):
    return json.dumps(v, ensure_ascii=False)[:300]


class Compare:
    def __init__(self, pairs):
        self.pairs, self.out = pairs, []

    def bad(self, where, text):
        self.out.append(f"{where or 'body'}: {text}")

    def text(self, where, got, want):
        """Words: values inside them are paired, times are times."""
        if got == want:
            return
        known = self.pairs.insert(want)
        for v in sorted(self.pairs.forward, key=len, reverse=True):
            if len(v) > 4:
                known = known.replace(v, self.pairs.forward[v])
        g, w = blur(got), blur(known)
        if g != w and not self.listed(g, w):
            self.bad(where, f"got {got!r}, want {want!r}")

    @staticmethod
    def listed(got, want):
        """`is invalid: [a, b]` in any order."""
        g, w = (sorted(re.split(r", (?=[\w<.\[])", v.partition(" is invalid: [")[2][:-1]))
                for v in (got, want))
        return " is invalid: [" in want and g == w

    def objects(self, where, got, want):
        want = {self.pairs.insert(k): v for k, v in want.items()}
        for k in sorted(set(got) | set(want)):
            at = f"{where}.{k}" if where else k
            if k not in got:
                self.bad(at, f"missing, want {short(want[k])}")
            elif k not in want:
                self.bad(at, f"not expected: {short(got[k])}")
            elif k == "resourceVersion" and where in ("metadata", "object.metadata") and \
                    want[k] not in ("", "0") and got[k] not in ("", "0") and \
                    not self.single:
                if not self.pairs.rising(want[k], got[k]):
                    self.bad(at, f"got {got[k]} for {want[k]}: before what was after")
            else:
                self.value(at, k, got[k], want[k])

    def named(self, where, key, got, want):
        """Lists of named things, whatever else is served."""
        sides = [{v.get(key): v for v in side} for side in (got, want)]
        for name in sorted(set(sides[0]) | set(sides[1])):
            at = f"{where}[{name}]"
            if name not in sides[0]:
                self.bad(at, f"missing, want {short(sides[1][name])}")
            elif name not in sides[1]:
                self.bad(at, f"not expected: {short(sides[0][name])}")
            else:
                self.value(at, "", sides[0][name], sides[1][name])
        order = [[n for n in (v.get(key) for v in side) if n in sides[0] and n in sides[1]]
                 for side in (got, want)]
        if order[0] != order[1]:
            self.bad(where, f"in the order {order[0]}, want {order[1]}")

    def lists(self, where, key, got, want):
        first = (got + want + [None])[0]
        name = NAMES.get(key)
        if key == "resources" and isinstance(first, dict) and "resource" in first:
            name = "resource"
        if isinstance(first, dict) and name and name in first and \
                len({v.get(name) for v in want}) == len(want):
            return self.named(where, name, got, want)
        if key == "items" and isinstance(first, dict) and "versions" in first:
            for v in got + want:
                v["name"] = v.get("metadata", {}).get("name", "")
            return self.named(where, "name", got, want)
        if key == "causes" or where == "paths":
            got, want = (sorted(v, key=lambda c: json.dumps(c, sort_keys=True)) for v in (got, want))
        if key == "managedFields":  # they stand by the second of their write
            got, want = (sorted(v, key=lambda m: [m.get(k, "") for k in ("manager", "operation", "subresource")])
                         for v in (got, want))
        if len(got) != len(want):
            self.bad(where, f"{len(got)} items, want {len(want)}: {short(got)} instead of {short(want)}")
        for i, (g, w) in enumerate(zip(got, want)):
            self.value(f"{where}[{i}]", key, g, w)

    def value(self, where, key, got, want):
        if isinstance(want, dict) and isinstance(got, dict):
            self.objects(where, got, want)
        elif isinstance(want, list) and isinstance(got, list):
            self.lists(where, key, got, want)
        elif isinstance(want, str) and isinstance(got, str):
            if key in TIMES and bool(got) == bool(want):
                return
            if key == "continue" and opened(want) and opened(got):
                # of a collection, whose revision need not be the same
                if opened(want) != opened(got):
                    self.bad(where, f"goes on at {opened(got)}, want {opened(want)}")
                self.pairs.forward[want] = got
                return
            if key in PAIRED and want and got and not (key == "resourceVersion" and want == "0"):
                if not self.pairs.same(want, got):
                    self.bad(where, f"got {got!r} for {want!r}, which stood for "
                                    f"{self.pairs.forward.get(want)!r}")
            elif key == "name" and GENERATED.search(want) and got[:-5] == want[:-5]:
                self.pairs.same(want, got)
            else:
                self.text(where, got, want)
        elif got != want or isinstance(got, bool) != isinstance(want, bool):
            self.bad(where, f"got {short(got)}, want {short(want)}")

    def headers(self, got, want):
        names = {n.lower() for n, _ in want} | {n.lower() for n, _ in got}
        for n in sorted(names - QUIET):
            g, w = ([v for k, v in side if k.lower() == n] for side in (got, want))
            if n == "etag" and g and w:
                self.pairs.same(w[0], g[0])
            if n in PRESENT:
                g, w = (["..."] if v else [] for v in (g, w))
            if sorted(g) != sorted(w):
                self.bad(f"header {n}", f"got {g}, want {w}")

    # ---- bodies; a recording may have left something out, and says so ----

    def body(self, got, want, left_out=""):
        got, want = got.rstrip("\n"), want.rstrip("\n")
        if re.search(r"\.\.\. \(\d+ bytes in all\)$", want):
            return
        try:
            g, w = json.loads(got), json.loads(want)
        except ValueError:
            if want.startswith(("apiVersion:", "code:")):  # YAML: its lines
                got, want = ("\n".join(sorted(re.sub(r'resourceVersion: "\d+"', "*", v).split("\n")))
                             for v in (got, want))
            self.text("", got, want)
            return
        if "items shown" in left_out:
            items = g.get("items")
            g["items"] = len(items) if "count" in left_out else \
                [i["metadata"]["name"] for i in items]
        elif "status only" in left_out:
            g = {"status": g.get("status")}
        elif "trimmed" in left_out:
            keep_shown(g, w)
        kind = str(w.get("kind", "")) if isinstance(w, dict) else ""
        inner = w.get("object") if isinstance(w, dict) else None
        table = isinstance(inner, dict) and inner.get("kind") == "Table"
        # one object's revision is its own, a collection's or a bookmark's is not
        self.single = isinstance(w, dict) and w.get("type") != "BOOKMARK" and not table and \
            not (kind.endswith("List") or kind == "Table")
        self.value("", "", g, w)

    def stream(self, got, want):
        got, want = (joined(v) for v in (got, want))
        marks = [[v for v in side if plain_bookmark(v)] for side in (got, want)]
        if bool(marks[0]) != bool(marks[1]):
            self.bad("stream", f"{len(marks[0])} bookmarks, want {len(marks[1])}")
        got, want = ([v for v in side if not plain_bookmark(v)] for side in (got, want))
        if len(got) != len(want):
            self.bad("stream", f"{len(got)} lines, want {len(want)}: " +
                     " ".join(v[:160] for v in got))
        # What happens to one object comes in order; controllers choose which
        # object is first.
        rest = list(got)
        for w in want:
            g = next((v for v in rest if subject(v) == subject(w)), rest[0] if rest else None)
            if g is None:
                break
            rest.remove(g)
            self.body(g, w)


def subject(line):
    """Which object an event is about."""
    try:
        o = json.loads(line)["object"]
    except (ValueError, KeyError):
        return None
    if o.get("kind") == "Table":
        rows = o.get("rows") or [{}]
        o = rows[0].get("object") or {"metadata": {"name": (rows[0].get("cells") or [""])[0]}}
    m = o.get("metadata", {})
    return m.get("namespace"), m.get("name")


def opened(token):
    """Where a continue token goes on."""
    try:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["start"]
    except (ValueError, KeyError):
        return None


def plain_bookmark(line):
    return line.startswith('{"type":"BOOKMARK"') and "initial-events-end" not in line


def joined(lines):
    """A recording may have cut a line where a packet ended."""
    out = []
    for line in lines:
        if out and not line.startswith('{"type":'):
            out[-1] += line
        elif line:
            out.append(line)
    return out


def keep_shown(got, want):
    """Of discovery only the groups and resources that the recording shows."""
    for key, name in (("items", lambda v: v["metadata"].get("name", "")),
                      ("groups", lambda v: v["name"]), ("resources", lambda v: v["name"])):
        if key not in want or key not in got:
            continue
        shown = {name(v) for v in want[key]}
        got[key] = [v for v in got[key] if name(v) in shown]
        for g in got[key]:
            for w in want[key]:
                if name(w) != name(g) or "versions" not in w or key != "items":
                    continue
                for gv, wv in zip(g["versions"], w["versions"]):
                    shown_here = {r["resource"] for r in wv.get("resources", [])}
                    gv["resources"] = [r for r in gv["resources"] if r["resource"] in shown_here]
