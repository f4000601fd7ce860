#!/usr/bin/env python3
"""A small container registry for tests, on a loopback port of its own.

usage: registry.py STATE_FOLDER [--auth none|basic|bearer] [--user NAME:SECRET]
                   [--break KIND]
Prints its port on the first line. Blobs and manifests are files of the state
folder; every request is a line of STATE_FOLDER/log ("PUT /v2/... 201").
--break: truncate (blobs lose their last byte), corrupt (they get another one),
         fail (every third answer is 503), refuse (403 with a reason)
"""
import base64
import hashlib
import http.server
import json
import os
import re
import sys
import urllib.parse

TOKEN = "let-me-in"


def option(name, fallback):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else fallback


STATE = sys.argv[1]
AUTH = option("--auth", "none")
USER = option("--user", "someone:s3cret")
BREAK = option("--break", "")
COUNT = [0]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        with open(os.path.join(STATE, "log"), "a") as f:
            f.write("%s %s %d\n" % (self.command, self.path.split("?")[0], status))
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, message, **headers):
        body = json.dumps({"errors": [{"code": code, "message": message}]})
        self.answer(status, body.encode(), **headers)

    def allowed(self):
        given = self.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode(USER.encode()).decode()
        here = "http://127.0.0.1:%d" % self.server.server_port
        if AUTH == "none":
            return True
        if AUTH == "basic":
            if given == basic:
                return True
            self.refuse(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate='Basic realm="here"')
            return False
        if given == "Bearer " + TOKEN:
            return True
        self.refuse(401, "UNAUTHORIZED", "authentication required",
                    WWW_Authenticate='Bearer realm="%s/token",service="here"' % here)
        return False

    def token(self):
        basic = "Basic " + base64.b64encode(USER.encode()).decode()
        if self.headers.get("Authorization", "") != basic:
            return self.refuse(401, "UNAUTHORIZED", "who are you")
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        if "service" not in query or not query.get("scope", [""])[0].startswith("repository:"):
            return self.refuse(400, "BAD", "no scope")
        return self.answer(200, json.dumps({"token": TOKEN}).encode())

    def send_file(self, path, kind):
        if not os.path.exists(path):
            return self.refuse(404, "NAME_UNKNOWN", "there is nothing of that name")
        data = open(path, "rb").read()
        if kind == "blob" and BREAK == "truncate":
            data = data[:-1]
        if kind == "blob" and BREAK == "corrupt":
            data = data[:-1] + bytes([data[-1] ^ 1])
        return self.answer(200, data)

    def do(self):
        COUNT[0] += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/token"):
            return self.token()
        if not self.allowed():
            return None
        if BREAK == "fail" and COUNT[0] % 3 == 0:
            return self.answer(503)
        if BREAK == "refuse":
            return self.refuse(403, "DENIED", "not for you")
        path = urllib.parse.urlparse(self.path)
        upload = re.fullmatch(r"/v2/(.+)/blobs/uploads/(\w*)", path.path)
        blob = re.fullmatch(r"/v2/(.+)/blobs/(sha256:[0-9a-f]+)", path.path)
        manifest = re.fullmatch(r"/v2/(.+)/manifests/(.+)", path.path)
        if upload and self.command == "POST":
            return self.answer(202, Location="/v2/%s/blobs/uploads/1?state=x" % upload[1])
        if upload and self.command == "PUT":
            digest = urllib.parse.parse_qs(path.query)["digest"][0]
            if digest != "sha256:" + hashlib.sha256(body).hexdigest():
                return self.refuse(400, "DIGEST_INVALID", "these are other bytes")
            open(self.file("blob", digest), "wb").write(body)
            return self.answer(201)
        if manifest and self.command == "PUT":
            digest = "sha256:" + hashlib.sha256(body).hexdigest()
            for name in (manifest[2], digest):
                open(self.file("manifest", manifest[1], name), "wb").write(body)
            return self.answer(201)
        if blob:
            return self.send_file(self.file("blob", blob[2]), "blob")
        if manifest:
            return self.send_file(self.file("manifest", manifest[1], manifest[2]), "manifest")
        return self.answer(200 if path.path == "/v2/" else 404)

    do_GET = do_HEAD = do_PUT = do_POST = do

    def file(self, kind, *parts):
        name = "-".join(re.sub(r"[^A-Za-z0-9.]", "_", p) for p in parts)
        return os.path.join(STATE, kind + "-" + name)


def main():
    os.makedirs(STATE, exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


main()
