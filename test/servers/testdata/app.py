"""The application of these stories in Python, with its standard library alone.

python3 app.py HOST PORT VERSION ROOT: VERSION is 1.0, where the end of the
connection is the end of an answer without a length, or 1.1.
"""

import gzip
import hashlib
import http.server
import json
import os
import secrets
import signal
import socket
import struct
import sys
import time
import urllib.parse

host, port, version, root = sys.argv[1:]
sessions = {}


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/" + version

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=root)

    def log_message(self, *arguments):
        pass

    def fields(self, status, fields, length=None):
        """The head; without a length, chunks or the connection's end tell it."""
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.chunked = length is None and version != "1.0"
        if length is not None:
            self.send_header("Content-Length", str(length))
        elif self.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True
        self.end_headers()

    def say(self, text):
        text = text if isinstance(text, bytes) else text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text) if self.chunked else text)

    def over(self):
        if self.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def page(self, text, status=200):
        """HTTP/1.0 programs often do not say how long a page is."""
        fields = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        self.fields(status, fields, None if version == "1.0" else len(text.encode()) + 1)
        self.chunked = False
        self.wfile.write((text + "\n").encode())

    def move(self, status, to, fields={}):
        self.fields(status, {"Location": to, "Cache-Control": "no-store", **fields}, 0)

    def stream(self, kind):
        self.fields(200, {"Content-Type": kind, "Cache-Control": "no-store"})

    def body(self):
        """The body in pieces."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return
        left = int(self.headers.get("Content-Length", 0))
        while left > 0:
            piece = self.rfile.read(min(left, 1 << 16))
            if not piece:
                raise ConnectionError("the body is cut short")
            left -= len(piece)
            yield piece

    def session(self):
        for pair in self.headers.get("Cookie", "").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == "session":
                return value
        return None

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path.startswith("/files/"):
            self.path = url.path[len("/files"):]
            return super().do_GET()
        name = url.path.removeprefix("/app/")
        answer = getattr(self, "get_" + name, None)
        if answer is None or not url.path.startswith("/app/"):
            return self.page("no such page", 404)
        answer(query)

    def do_HEAD(self):
        self.path = self.path.removeprefix("/files")
        super().do_HEAD()

    def do_POST(self):
        body = self.body()
        if self.path == "/app/upload":
            return self.upload(body)
        body = b"".join(body)
        if self.path == "/app/logout":
            sessions.pop(self.session(), None)
            return self.move(303, "/app/login", {"Set-Cookie": "session=; Path=/app; Expires=Thu, 01 Jan 1970 00:00:01 GMT"})
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if self.path != "/app/login" or form.get("user") != "ada" or form.get("password") != "länger & besser":
            return self.page("wrong", 403)
        name = secrets.token_hex(16)
        sessions[name] = form["user"]
        self.move(303, "/app/private", {"Set-Cookie": f"session={name}; Path=/app; HttpOnly; SameSite=Lax"})

    def upload(self, body):
        kind, _, boundary = self.headers.get("Content-Type", "").partition("; boundary=")
        if kind == "multipart/form-data":
            parts = {}
            for part in b"".join(body).split(b"--" + boundary.encode())[1:-1]:
                head, _, content = part.partition(b"\r\n\r\n")
                head = head.decode()
                name = head.split(' name="')[1].split('"')[0]
                file = head.split('filename="')[1].split('"')[0] if "filename=" in head else ""
                parts[name] = file, content[:-2]
            file, content = parts["file"]
            return self.page(f"{file} {len(content)} {hashlib.sha256(content).hexdigest()} {parts['note'][1].decode()}")
        size, digest = 0, hashlib.sha256()
        for piece in body:
            size += len(piece)
            digest.update(piece)
        self.page(f"raw {size} {digest.hexdigest()}")

    def get_login(self, query):
        self.page("who are you?")

    def get_private(self, query):
        user = sessions.get(self.session())
        if user is None:
            return self.move(302, "/app/login")
        self.page("hello " + user)

    def get_events(self, query):
        self.stream("text/event-stream")
        with open(query["channel"]) as told:
            self.say(": here\n\n")
            for line in told:
                self.say(f"data: {line}\n")
        self.over()

    def get_poll(self, query):
        with open(query["channel"]) as told:
            self.page("it is " + told.readline().strip())

    def get_slow(self, query):
        time.sleep(2)
        self.page("at last")

    def get_dies(self, query):
        self.stream("text/plain")
        self.say("half " * 1000)
        if version == "1.0":
            # With a linger of nothing, closing resets the connection: its
            # orderly end would be the end of the answer.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.connection.shutdown(socket.SHUT_WR)
        self.close_connection = True

    def get_short(self, query):
        self.fields(200, {"Content-Type": "text/plain", "Cache-Control": "no-store"}, 10000)
        self.say("half " * 1000)
        self.connection.shutdown(socket.SHUT_WR)
        self.close_connection = True

    def get_leaves(self, query):
        self.stream("text/plain")
        self.say("half " * 1000)
        self.over()

    def get_fails(self, query):
        self.page("it broke", 500)

    def get_gzip(self, query):
        packed = gzip.compress(b"the same line again\n" * 5000, mtime=0)
        self.fields(200, {"Content-Type": "text/plain", "Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Cache-Control": "max-age=60"})
        self.say(packed)
        self.over()

    def get_moved(self, query):
        own = query["own"]
        self.move(302, f"http://{own}/app/login", {
            "Content-Location": f"http://{own}/app/moved", "Refresh": f"5; url=http://{own}/app/login",
            "Link": f'<http://{own}/app/next>; rel="next"', "Set-Cookie": f"place=here; Path=/; Domain={own.split(':')[0]}"})

    def get_seen(self, query):
        self.page(json.dumps({
            "host": self.headers.get("Host"), "for": self.headers.get("X-Forwarded-For", ""),
            "proto": self.headers.get("X-Forwarded-Proto", ""), "query": urllib.parse.urlsplit(self.path).query,
        }, separators=(",", ":")))


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def shutdown_request(self, request):
        # Without the orderly end that would come first, a linger of nothing
        # is a reset.
        self.close_request(request)


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
Server((host, int(port)), Handler).serve_forever()
