#!/usr/bin/env python3
"""A model hub on 127.0.0.1 for tests/system/get_model.sh, with the paths, redirects and headers of the real one.

    hub.py FOLDER LOG [PEM PORT]    serves FOLDER/OWNER/NAME/FILE as /OWNER/NAME/resolve/REVISION/FILE; writes the port
                                    as the first line of LOG, then one line a request: method, path, Range, status.
                                    With PEM (a certificate and its key) it is an https hub, and PORT that of a http
                                    hub, to which it redirects what is asked of the repository `downgrade`, and the
                                    weights of `later`

A repository's name says what goes wrong with it: `cut`: the first answers with weights break off after half of what was
asked for; `wrongsum`: the stated checksum of the weights is another file's; `norange`: Range is not understood;
`plain`: no checksums, no redirects; `private`: HTTP 401; `broken`: the first answer with weights is HTTP 503."""

import hashlib
import http.server
import re
import ssl
import sys
from pathlib import Path

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

FOLDER, LOG = Path(sys.argv[1]), open(sys.argv[2], "w", encoding="utf-8", buffering=1)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
seen = set()


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers=(), body=b"", cut=None):
        LOG.write(f"{self.command} {self.path} {self.headers.get('Range', '-')} {status}\n")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body if cut is None else body[:cut])
            if cut is not None:
                self.close_connection = True

    def content(self, name, data, headers):
        """The bytes asked for; where the repository says so, not all of them."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        status = 200
        if match and name != "norange":
            first = int(match[1])
            if first >= len(data):
                self.answer(416, [("Content-Range", f"bytes */{len(data)}")])
                return
            headers = headers + [("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")]
            data, status = data[first:], 206
        cut = None
        if self.command == "GET" and len(data) > 4000 and (name, self.path) not in seen:
            seen.add((name, self.path))
            if name == "broken":
                self.answer(503)
                return
            if name in ("cut", "norange"):
                cut = len(data) // 2
        self.answer(status, headers, data, cut)

    def do_GET(self):
        blob = re.fullmatch(r"/blob/([\w.-]+)/([\w.-]+)/([\w.-]+)", self.path)
        if blob:
            self.content(blob[2], (FOLDER / blob[1] / blob[2] / blob[3]).read_bytes(), [("ETag", '"of-the-store"')])
            return
        match = re.fullmatch(r"/([\w.-]+)/([\w.-]+)/resolve/([\w.-]+)/([\w.-]+)", self.path)
        if not match or match[3] not in ("main", "v2", COMMIT):
            self.answer(404)
            return
        owner, name, _, file = match.groups()
        if name == "private":
            self.answer(401)
            return
        path = FOLDER / owner / name / file
        if not path.is_file():
            self.answer(404)
            return
        data = path.read_bytes()
        if name == "plain":
            self.content(name, data, [])
            return
        if len(sys.argv) > 3 and (name == "downgrade" or (name == "later" and file.endswith(".safetensors"))):
            self.answer(302, [("Location", f"http://127.0.0.1:{sys.argv[4]}/{owner}/{name}/resolve/{match[3]}/{file}")])
            return
        headers = [("X-Repo-Commit", COMMIT)]
        if file.endswith(".safetensors"):
            checksum = hashlib.sha256(data if name != "wrongsum" else b"another file").hexdigest()
            self.answer(302, headers + [("X-Linked-ETag", f'"{checksum}"'), ("X-Linked-Size", str(len(data))),
                                        ("Location", f"/blob/{owner}/{name}/{file}")])
        else:
            git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            self.content(name, data, headers + [("ETag", f'W/"{git}"')])

    do_HEAD = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
LOG.write(f"{server.server_address[1]}\n")
server.serve_forever()
