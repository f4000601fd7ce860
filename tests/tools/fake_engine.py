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
          "volume": true,                     an anonymous volume at /var
          "logs": ["line", ["stderr", "line"]],
          "files": {"/kind/version": "v1.34.8"},
          "exec": [{"match": "regex of the joined argv", "out": "", "err": "",
                    "exit": 0}],              first match; else exit 0, silence
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
import sys

if __name__ == "__main__":
    sys.exit(__doc__)
