#!/usr/bin/env python3
"""What kubectl says: runs a script of commands, prints or compares a transcript.

usage: kubectl_talk.py record KUBECTL KUBECONFIG SCRIPT           prints it
       kubectl_talk.py replay KUBECTL KUBECONFIG TRANSCRIPT [ALLOWED]   TAP

A script is a shell command a line ("kubectl" is the one under test; a line
that ends in a backslash goes on), run one after the other in one folder with
one HOME; "#" is a comment that names what follows. "? COMMAND" is run until it
answers 0 (20 s at most) and its output is not looked at; "! COMMAND" is run
once and its output is not looked at. A transcript repeats each command behind
"$ ", then its output (both streams, standard error behind "E "), then its exit
code when it is not 0.
Compared is what a reader would call the same: ages, times, uids, revisions,
generated names, addresses and runs of blanks are blurred.
ALLOWED is a file of lines "VERSION | COMMAND | reason" (VERSION a regex of
kubectl's minor version, COMMAND a part of the command): differences there are
explained, and it is an error when there is none.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

BLUR = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"^(---|\+\+\+) (\S+)\t.*", r"\1 \2"),
    (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w\w\w \d{4} [\d:]{8} [+-]\d{4}", "TIME"),
    (r"(resourceVersion[\\\"]*: *)[\\\"]*\d+[\\\"]*", r"\1RV"),
    (r"(Resource Version: *)\d+", r"\1RV"),
    (r"\b(\d+(d|h|m|s|ms))+\b( ago)?", "AGE"),
    (r"\b10\.\d+\.\d+\.\d+\b", "10.IP"),
    (r"127\.0\.0\.1:\d+|localhost:\d+", "HOST"),
    (r"-[0-9a-f]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-HASH-RND"),
    (r"-[0-9a-f]{8,10}\b", "-HASH"),
    (r"\b([a-z][a-z0-9-]*-)[bcdfghjklmnpqrstvwxz2456789]{5}\b", r"\1RND"),
    (r"pod-template-hash(: |=)[0-9a-f]+", r"pod-template-hash\1HASH"),
    (r"kubectl-edit-\w+", "kubectl-edit-RND"),
    (r"/tmp/[^ :\"']*/", "DIR/"),
    (r"[ \t]+", " "),
    (r" +$", ""),
]


def blur(text):
    for pattern, by in BLUR:
        text = re.sub(pattern, by, text, flags=re.M)
    return text.rstrip("\n")


def commands(path):
    """(kind, command, wanted text) of a script or a transcript."""
    found, long = [], ""
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("$ "):
            found.append(["$", line[2:], []])
        elif line[:2] in ("? ", "! "):
            found.append([line[0], line[2:], []])
        elif path.endswith(".sh"):
            long += line.removesuffix("\\")
            if not line.endswith("\\"):
                if long.strip() and not long.startswith("#"):
                    found.append(["$", long, []])
                elif long.startswith("#"):
                    found.append(["#", "#" + long, []])
                long = ""
        elif line.startswith("## "):
            found.append(["#", line, []])
        elif found:
            found[-1][2].append(line)
    return found


class Shell:
    def __init__(self, kubectl, kubeconfig, script):
        self.dir = tempfile.TemporaryDirectory()
        d = self.dir.name
        os.mkdir(d + "/bin")
        os.mkdir(d + "/work")
        os.symlink(os.path.abspath(kubectl), d + "/bin/kubectl")
        self.env = dict(os.environ, HOME=d, KUBECONFIG=os.path.abspath(kubeconfig), TZ="UTC", SCRIPTS=os.path.dirname(os.path.abspath(script)),
                        PATH=d + "/bin:" + os.environ["PATH"])
        self.env.pop("XDG_CACHE_HOME", None)

    def run(self, command):
        """(text with exit code, exit code)"""
        try:
            p = subprocess.run(["bash", "-c", command], cwd=self.dir.name + "/work", env=self.env,
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        except subprocess.TimeoutExpired:
            return "(took more than 60 s)", 124
        text = p.stdout.decode(errors="replace")
        if text and not text.endswith("\n"):
            text += "\n"
        text += "".join("E " + line + "\n" for line in p.stderr.decode(errors="replace").splitlines())
        return text + (f"exit {p.returncode}\n" if p.returncode else ""), p.returncode

    def until(self, command):
        end = time.monotonic() + 20
        while self.run(command)[1] and time.monotonic() < end:
            time.sleep(0.1)


def minor(kubectl):
    out = subprocess.run([kubectl, "version", "--client", "-o", "json"], capture_output=True).stdout
    return re.sub(r"\D", "", json.loads(out)["clientVersion"]["minor"])


def record(kubectl, kubeconfig, script):
    shell = Shell(kubectl, kubeconfig, script)
    for kind, command, _ in commands(script):
        if kind == "#":
            print(command)
        elif kind == "$":
            print("$ " + command)
            print("".join(v + "\n" for v in blur(shell.run(command)[0]).splitlines()), end="")
        else:
            print(kind + " " + command)
            (shell.until if kind == "?" else shell.run)(command)


def allowed(path, version):
    rows = []
    for line in open(path, encoding="utf-8") if path else []:
        if line.strip() and not line.startswith("#"):
            versions, command, reason = (v.strip() for v in line.split("|", 2))
            if re.fullmatch(versions, version):
                rows.append([command, reason, False])
    return rows


def replay(kubectl, kubeconfig, transcript, allowed_file=None):
    shell, version, n, bad = Shell(kubectl, kubeconfig, transcript), minor(kubectl), 0, 0
    rows = allowed(allowed_file, version)
    for kind, command, want in commands(transcript):
        if kind == "#":
            continue
        if kind != "$":
            (shell.until if kind == "?" else shell.run)(command)
            continue
        n += 1
        got, want = blur(shell.run(command)[0]).splitlines(), [v.rstrip() for v in want]
        why = next((r for r in rows if r[0] in command), None)
        if got != want and why:
            why[2] = True
        same = got == want or why
        print(f"{'ok' if same else 'not ok'} {n} - 1.{version}: {command[:110]}")
        if not same:
            bad += 1
            for line in want:
                if line not in got:
                    print("# - " + line)
            for line in got:
                if line not in want:
                    print("# + " + line)
        sys.stdout.flush()
    for command, reason, used in rows:
        if not used:
            n, bad = n + 1, bad + 1
            print(f"not ok {n} - 1.{version}: a difference that is allowed does not happen: {command} ({reason})")
    print(f"1..{n}")
    return bad


def main():
    a = sys.argv[1:]
    if len(a) == 4 and a[0] == "record":
        record(*a[1:])
        sys.exit(0)
    if len(a) in (4, 5) and a[0] == "replay":
        sys.exit(1 if replay(*a[1:]) else 0)
    print(__doc__)
    sys.exit(2)


main()
