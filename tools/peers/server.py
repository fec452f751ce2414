"""moto as the estate that every tool reads: counts each call, tells its own CPU time, and can answer late.

It listens on a free port of the loopback interface, prints the port, and ends when its standard input closes. Beside AWS it
answers two paths: /-/mark (what was called and the CPU seconds of this process since the last mark, as JSON; a new
count begins) and /-/late?ms=N (each later call is held for N ms).
"""

import collections
import json
import resource
import sys
import threading
import time
import urllib.parse

from moto.ec2.models import tags as ec2_tags
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


def tags_by_resource():
    """Looks tags up by resource. moto 5.2.1 walks all tags for each resource, which takes minutes with 5,000 groups."""

    def describe(self, filters=None):
        wanted = (filters or {}).get("resource-id")
        if not wanted or set(filters) != {"resource-id"} or any("*" in w or "?" in w for w in wanted):
            return plain(self, filters)
        return [
            {"resource_id": r, "key": k, "value": v, "resource_type": ec2_tags.EC2_PREFIX_TO_RESOURCE.get(ec2_tags.get_prefix(r), "")}
            for r in wanted
            for k, v in self.tags.get(r, {}).items()
        ]

    plain = ec2_tags.TagBackend.describe_tags
    ec2_tags.TagBackend.describe_tags = describe


class Counting:
    """A WSGI application around moto. Safe for concurrent use."""

    def __init__(self, app):
        self.app, self.lock = app, threading.Lock()
        self.late = 0.0
        self.mark()

    def mark(self):
        with self.lock:
            marked = {"calls": dict(getattr(self, "calls", {})), "cpu": cpu() - getattr(self, "since", 0.0)}
            self.calls, self.since = collections.Counter(), cpu()
        return marked

    def __call__(self, environ, start):
        path = environ["PATH_INFO"]
        if path.startswith("/-/"):
            return self.command(path, urllib.parse.parse_qs(environ["QUERY_STRING"]), start)
        name = operation(environ)
        with self.lock:
            self.calls[name] += 1
        if self.late:
            time.sleep(self.late)
        return self.app(environ, start)

    def command(self, path, query, start):
        answer = {}
        if path == "/-/mark":
            answer = self.mark()
        elif path == "/-/late":
            self.late = float(query["ms"][0]) / 1000
        body = json.dumps(answer).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def operation(environ):
    """Names a call as service:what, by what the request says of itself."""
    service = "?"
    credential = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2]
    if credential.count("/") >= 3:
        service = credential.split("/")[3]
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return service + ":" + target.rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size)
        environ["wsgi.input"] = Again(body)
        return service + ":" + urllib.parse.parse_qs(body.decode()).get("Action", ["?"])[0]
    query = "&".join(sorted(part.partition("=")[0] for part in environ["QUERY_STRING"].split("&") if part))
    depth = min(environ["PATH_INFO"].rstrip("/").count("/"), 2)
    return f"{service}:{environ['REQUEST_METHOD']} /{'*' * depth}{'?' + query if query else ''}"


class Again:
    """A body that was read once, to be read once more."""

    def __init__(self, body):
        self.rest = body

    def read(self, size=-1):
        size = len(self.rest) if size is None or size < 0 else size
        part, self.rest = self.rest[:size], self.rest[size:]
        return part

    def readline(self, *_):
        part, self.rest = self.rest, b""
        return part


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


tags_by_resource()
server = make_server("127.0.0.1", 0, Counting(DomainDispatcherApplication(create_backend_app)), threaded=True, request_handler=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
