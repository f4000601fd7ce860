"""An HTTPS server that behaves badly on demand, for the tests of downloads.

usage: fetch_server.py CERT.pem [FOLDER]     (certificate and key in one file)
Prints its port; ends when its standard input does.
With FOLDER it is a proxy instead that ends on TERM, the internet as far as FOLDER/HOST/PATH goes:
CONNECT, then TLS with the certificate; requests are added to FOLDER/log; a file
FOLDER/refuse makes it answer 407, FOLDER/page a web page.
Without, the path says the manner: /MANNER/NAME. The content of every file is the same 300,000 bytes; `other` is
content of the same length that differs at its end. /log answers the requests
so far, one line each: METHOD PATH RANGE IF-RANGE.
"""
import gzip, hashlib, http.server, io, os, ssl, sys, tarfile, threading

CONTENT = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(9375))
OTHER = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
SCRIPT = b"#!/bin/sh\n[ $# = 0 ] || echo kind v0.33.0 go1.26 linux/amd64\n"
SUM = hashlib.sha256(CONTENT).hexdigest()
seen, log, lock = {}, [], threading.Lock()


def tarball(member):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as t:
        for name in ("README", member):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(SCRIPT), 0o4755
            t.addfile(info, io.BytesIO(SCRIPT))
    return out.getvalue()


PROGRAMS = {"plain": SCRIPT, "tar": tarball("d/kind"), "empty": tarball("d/other"),
            "junk": b"not a program", "mute": b"#!/bin/sh\nexit 3\n"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        with lock:
            nth = seen.get(self.path, 0)
            seen[self.path] = nth + 1
            if self.path != "/log":
                log.append(f"{self.path} {self.headers.get('Range', '-')} "
                           f"{self.headers.get('If-Range', '-')}")
        manner = self.path.split("/")[1].replace("-", "_")
        getattr(self, manner, self.missing)(nth)

    # ---- pieces ----

    def start(self):
        r = self.headers.get("Range", "")
        return int(r[6:-1]) if r.startswith("bytes=") else 0

    def head(self, status, length, **headers):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()

    def whole(self, body, **headers):
        self.head(200, len(body), **headers)
        self.wfile.write(body)

    def rest(self, body, **headers):
        """Honours Range and If-Range."""
        start, wanted = self.start(), self.headers.get("If-Range")
        if not start or wanted and wanted != headers.get("ETag"):
            return self.whole(body, **headers)
        if start >= len(body):
            return self.head(416, 0, Content_Range=f"bytes */{len(body)}")
        self.head(206, len(body) - start,
                  Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}", **headers)
        self.wfile.write(body[start:])

    def half(self, body, **headers):
        """Announces all of what is asked for, sends a third of the file."""
        start = self.start()
        self.head(206 if start else 200, len(body) - start, **headers)
        self.wfile.write(body[start:start + len(body) // 3])
        self.wfile.flush()
        self.close_connection = True

    # ---- manners ----

    def missing(self, nth):
        self.head(404, 0)

    def log(self, nth):
        with lock:
            body = "\n".join(log).encode()
            log.clear()
        self.whole(body)

    def good(self, nth):
        self.rest(CONTENT, ETag='"1"')

    def other(self, nth):
        self.rest(OTHER)

    def cut(self, nth):
        self.half(CONTENT, ETag='"1"') if nth < 3 else self.rest(CONTENT, ETag='"1"')

    def cut_weak(self, nth):
        self.half(CONTENT, ETag='W/"1"') if nth < 1 else self.rest(CONTENT, ETag='W/"1"')

    def norange(self, nth):
        self.half(CONTENT) if nth < 1 else self.whole(CONTENT)

    def changes(self, nth):  # says so: another ETag
        self.half(OTHER, ETag='"1"') if nth < 1 else self.rest(CONTENT, ETag='"2"')

    def lies(self, nth):  # changes without a word
        if nth < 1:
            return self.half(b"x" * len(CONTENT))
        self.rest(CONTENT)

    def crooked(self, nth):  # wrong, and in pieces, every time
        self.half(OTHER)

    def short(self, nth):  # ends before what it announced, always at the same place
        self.head(200, len(CONTENT))
        self.wfile.write(CONTENT[:1000])
        self.close_connection = True

    def longer(self, nth):
        self.whole(CONTENT + b"more")

    def endless(self, nth):  # no length, never ends
        self.head(200, None)
        self.close_connection = True
        try:
            while True:
                self.wfile.write(CONTENT)
        except OSError:
            pass

    def slow(self, nth):
        self.head(200, len(CONTENT))
        try:
            for i in range(600):
                self.wfile.write(CONTENT[i:i + 1])
                self.wfile.flush()
                threading.Event().wait(0.05)
        except OSError:
            pass

    def forbidden_once(self, nth):
        self.head(403, 0) if nth < 1 else self.good(nth)

    def down_twice(self, nth):
        self.head(503, 0) if nth < 2 else self.good(nth)

    def down(self, nth):
        self.head(502, 0)

    def limited(self, nth):
        self.head(429, 0, Retry_After="1") if nth < 1 else self.good(nth)

    def limited_long(self, nth):
        self.head(429, 0, Retry_After="3600")

    def proxy(self, nth):
        self.head(407, 0, Proxy_Authenticate="Basic")

    def plain(self, nth):
        self.head(302, 0, Location=f"http://127.0.0.1:{PORT}/good/x")

    def loop(self, nth):
        self.head(302, 0, Location=self.path)

    def hops(self, nth):  # /hops/N/x: N redirects
        n = int(self.path.split("/")[2])
        self.head(302, 0, Location=f"/hops/{n - 1}/x") if n else self.good(nth)

    def login(self, nth):
        self.whole(b"<html><body>Please log in</body></html>",
                   Content_Type="text/html; charset=utf-8")

    def page(self, nth):  # a page that calls itself a file
        self.whole(b"\n<!DOCTYPE html><html></html>",
                   Content_Type="application/octet-stream")

    def bomb(self, nth):  # 32 MiB as a few kB, although nobody asked for gzip
        self.whole(gzip.compress(b"\0" * (32 << 20)), Content_Encoding="gzip")

    def program(self, nth):  # /program/KIND/NAME and NAME.sha256
        body = PROGRAMS.get(self.path.split("/")[2])
        if body is None:
            return self.head(502 if "/down/" in self.path else 404, 0)
        if self.path.endswith(".sha256"):
            body = hashlib.sha256(body).hexdigest().encode()
        self.whole(body)

    def sum(self, nth):  # /sum/FORM/NAME
        form = self.path.split("/")[2]
        self.whole({
            "bare": SUM, "upper": SUM.upper() + "\n",
            "line": f"{SUM}  x\n", "star": f"{'0' * 64}  y\n{SUM} *bin/x\n",
            "wrong": f"{'0' * 64}  x\n", "others": f"{SUM}  y\n",
            "twice": f"{SUM}  x\n{'0' * 64}  x\n",
            "empty": "", "huge": "a" * (1 << 20), "text": "see our site\n",
        }[form].encode())


class Site(Handler):
    """A host behind the proxy."""

    def do_GET(self):
        name = os.path.join(FOLDER, self.host, self.path.lstrip("/"))
        with lock, open(os.path.join(FOLDER, "log"), "a") as f:
            f.write(f"{self.command} https://{self.host}{self.path}\n")
        if os.path.exists(os.path.join(FOLDER, "page")):
            return self.login(0)
        # What is hashed must come as it is.
        if self.command == "GET" and self.headers.get("Accept-Encoding"):
            return self.head(406, 0)
        if not os.path.isfile(name):
            return self.missing(0)
        with open(name, "rb") as f:
            self.rest(f.read())

    do_HEAD = do_GET


class Proxy(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        self.close_connection = True
        if os.path.exists(os.path.join(FOLDER, "refuse")):
            self.send_response(407)
            self.send_header("Proxy-Authenticate", "Basic")
            return self.end_headers()
        self.send_response(200)
        self.end_headers()
        site = type("SiteOf", (Site,), {"host": self.path.split(":")[0]})
        try:
            site(context.wrap_socket(self.connection, server_side=True),
                 self.client_address, self.server)
        except OSError:
            pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, address):
        if not FOLDER:
            request = context.wrap_socket(request, server_side=True)
        super().finish_request(request, address)

    def handle_error(self, *_):
        pass


FOLDER = sys.argv[2] if len(sys.argv) > 2 else None
server = Server(("127.0.0.1", 0), Proxy if FOLDER else Handler)
PORT = server.server_address[1]
threading.Thread(target=server.serve_forever, daemon=True).start()
print(PORT, SUM, flush=True)
if FOLDER:
    threading.Event().wait()
sys.stdin.read()
os._exit(0)
