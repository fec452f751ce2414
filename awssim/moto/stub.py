"""Answers calls of AWS as a test scripts them, in the shapes of botocore's model, until its standard input closes.

Prints one line, the port on the loopback interface. A world is what one access key sees. /stub/on takes the script of an
operation of a world, /stub/seen gives what it was asked and what was wrong: a request that does not fit the model's input
(members that are missing, that it does not have, or of another type), an operation without a script, an answer that does
not fit the output. What has no script is passed on to the world's forward, where there is one.
"""

import base64
import json
import re
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

import botocore.loaders
import botocore.serialize
import botocore.validate
from moto.core import parse, serialize
from moto.core.model import ServiceModel
from werkzeug.datastructures import Headers, MultiDict

CALLER = {"UserId": "AIDASTUB", "Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/stub"}
LOADER = botocore.loaders.Loader()
lock = threading.RLock()
models = {}  # by the name of botocore
worlds = {}  # by access key


def model(service):
    if service not in models:
        models[service] = ServiceModel(LOADER.load_service_model(service, "service-2"), service)
    return models[service]


def world(key):
    return worlds.setdefault(key, {"scripts": {}, "calls": [], "problems": [], "forward": ""})


def keys(value, path=""):
    """The paths of the members of a JSON value; those of lists have no index."""
    if isinstance(value, dict):
        for name, v in value.items():
            yield from keys(v, f"{path}.{name}")
    elif isinstance(value, list):
        for v in value:
            yield from keys(v, path)
    if path:
        yield path


def tags(body):
    return {e.tag.split("}")[-1] for e in ElementTree.fromstring(body).iter()} if body else set()


class Call:
    """One request: which operation it is of, and its input."""

    def __init__(self, handler, body):
        self.headers, self.body, self.method = Headers(list(handler.headers.items())), body, handler.command
        url = urlsplit(handler.path)
        self.path = url.path
        self.query = MultiDict(parse_qsl(url.query, keep_blank_values=True))
        scope = re.search(r"Credential=([^/]+)/[^/]+/([^/]*)/([^/]+)/", self.headers.get("Authorization", ""))
        self.key, self.region, self.signing = scope.groups() if scope else ("", "", "")
        self.form = MultiDict()
        if "x-www-form-urlencoded" in self.headers.get("Content-Type", ""):
            self.form = MultiDict(parse_qsl(body.decode(), keep_blank_values=True))

    def find(self, scripts):
        """Sets service, operation and protocol, of the services that are scripted."""
        target = self.headers.get("X-Amz-Target", "").split(".")[-1]
        for service in sorted({s for s, _ in scripts} | {"sts"}):
            m = model(service)
            if m.signing_name != self.signing:
                continue
            if target or "Action" in self.form:
                name = target or self.form["Action"]
                protocol = "json" if target else ("ec2" if m.metadata["protocol"] == "ec2" else "query")
                if name in m.operation_names:
                    self.service, self.operation, self.protocol, self.params = m, name, protocol, {}
                    return True
                continue
            best = -1
            for name in m.operation_names:
                http = m.operation_model(name).http
                uri, _, fixed = http["requestUri"].partition("?")
                pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", lambda g: f"(?P<{g[1]}>{'.+' if g[2] else '[^/]+'})", re.escape(uri))
                at = re.fullmatch(pattern + "/?", self.path)
                wants = dict(parse_qsl(fixed, keep_blank_values=True))
                weight = len(re.sub(r"\{[^}]*\}", "", uri)) + 100 * len(wants)
                if at and http["method"] == self.method and all(self.query.get(k) == v for k, v in wants.items()) and weight > best:
                    best, self.service, self.operation, self.protocol, self.params = weight, m, name, m.metadata["protocol"], at.groupdict()
            if best >= 0:
                return True
        return False

    def read(self):
        """The input, and what is wrong with it."""
        m = self.service.operation_model(self.operation)
        request = {
            "body": self.body, "headers": self.headers, "method": self.method, "url_params": self.params, "url_path": self.path,
            "values": self.form if self.protocol in ("query", "ec2") else self.query,
        }
        parsed = parse.PROTOCOL_PARSERS[self.protocol](m).parse(request) if m.input_shape else {}
        report = botocore.validate.ParamValidator().validate(parsed, m.input_shape) if m.input_shape else None
        wrong = [report.generate_report()] if report and report.has_errors() else []
        again = botocore.serialize.create_serializer(self.protocol, include_validation=False).serialize_to_request(parsed, m)
        sent, known, text = set(), set(), again.get("body") or b""
        if self.protocol in ("query", "ec2"):
            sent, known = set(self.form), set(again["body"])
        elif self.protocol in ("json", "rest-json") and self.body.strip() not in (b"", b"{}"):
            sent, known = set(keys(json.loads(self.body))), set(keys(json.loads(text or b"{}")))
        elif self.protocol == "rest-xml" and self.body.startswith(b"<"):
            sent, known = tags(self.body), tags(text)
        if self.protocol.startswith("rest"):
            sent |= {"?" + k for k in self.query if k != "x-id"}
            known |= {"?" + k for k in dict(again["query_string"])} | {"?" + k for k, _ in parse_qsl(urlsplit(again["url_path"]).query, keep_blank_values=True)}
        if sent - known:
            wrong.append("members that the model does not have: " + ", ".join(sorted(sent - known)))
        return json.loads(json.dumps(parsed, default=lambda v: base64.b64encode(v).decode() if isinstance(v, bytes) else str(v))), wrong


def holds(value, want):
    """Whether a value has all that is wanted of it."""
    if isinstance(want, dict):
        return isinstance(value, dict) and all(k in value and holds(value[k], v) for k, v in want.items())
    return value == want


def choose(script, given):
    """The answer whose turn it is: those that name what they are for go first, the last one is given again and again."""
    fit = [a for a in script if holds(given, a.get("when") or {})]
    fit = [a for a in fit if a.get("when")] or fit
    answer = next((a for a in fit if not a.get("used")), fit[-1] if fit else None)
    if answer:
        answer["used"] = True
    return answer


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def answer(call, w):
    """The status, the headers and the body of the answer, or None where it is to be passed on."""
    if not call.find(w["scripts"]):
        if not w["forward"]:
            w["problems"].append(f"{call.method} {call.path} {dict(call.form)} {call.headers.get('X-Amz-Target', '')}: no operation of a scripted service")
            return 501, {}, ""
        return None
    script = w["scripts"].get((call.service.service_name, call.operation))
    name = call.service.service_name + " " + call.operation
    if script is None and w["forward"]:
        return None
    given, wrong = call.read()
    w["problems"] += [f"{name}: {x}" for x in wrong]
    w["calls"].append({"service": call.service.service_name, "operation": call.operation, "region": call.region, "input": given})
    if script is None and (call.service.service_name, call.operation) == ("sts", "GetCallerIdentity"):
        script = [{"output": CALLER}]
    given_answer = choose(script or [], given)
    if given_answer is None:
        w["problems"].append(f"{name} with {json.dumps(given)}: no answer is scripted")
        return 501, {}, ""
    m, result = call.service.operation_model(call.operation), given_answer.get("output") or {}
    dry = given.get("DryRun") is True
    if code := given_answer.get("error"):
        result = Failure(code, given_answer.get("message") or "no")
    elif dry:
        result = Failure("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    else:
        if m.output_shape:
            report = botocore.validate.ParamValidator().validate(result, m.output_shape)
            if report.has_errors():
                w["problems"].append(f"the answer of {name}: {report.generate_report()}")
    for other, output in (given_answer.get("sets") or {}).items() if not dry else ():
        w["scripts"][(call.service.service_name, other)] = [{"output": output}]
    out = serialize.get_serializer_class(call.service.service_name, call.protocol)(m).serialize(result)
    if isinstance(result, Failure):
        out["status_code"] = given_answer.get("status") or (412 if result.code == "DryRunOperation" else 403 if re.search("Denied|Unauthorized", result.code) else 400)
    return out["status_code"], out["headers"], out["body"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer goes out as one write: clients have been seen to close between its head and its body

    def log_message(self, *_):
        pass

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/stub/"):
            with lock:
                status, headers, text = self.stub(json.loads(body))
        else:
            status, headers, text = self.aws(body)
        text = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        for k, v in headers.items():
            if k.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(k, str(v))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do

    def stub(self, said):
        w = world(said["key"])
        if self.path == "/stub/seen":
            out = json.dumps({"calls": w["calls"], "problems": w["problems"]})
            if said.get("drain"):
                w["problems"] = []
            return 200, {}, out
        if "forward" in said:
            w["forward"] = said["forward"]
        if service := said.get("service"):
            if said["operation"] not in model(service).operation_names:
                return 400, {}, f"{service} has no operation {said['operation']}"
            w["scripts"][(service, said["operation"])] = said["answers"]
            if not said["answers"]:
                del w["scripts"][(service, said["operation"])]
        return 200, {}, ""

    def aws(self, body):
        with lock:
            call = Call(self, body)
            w = world(call.key)
            try:
                out = answer(call, w)
            except Exception as e:  # the test is to see it, whatever it is
                w["problems"].append(f"{call.method} {call.path}: {type(e).__name__}: {e}")
                return 500, {}, ""
        if out:
            return out
        # Without the lock: whoever waits for a message of a queue holds up nobody.
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("content-length", "connection", "accept-encoding")}
        request = urllib.request.Request(w["forward"] + self.path, data=body or None, headers=headers, method=self.command)
        try:
            with urllib.request.urlopen(request) as r:
                return r.status, dict(r.headers), r.read()
        except urllib.error.HTTPError as e:
            return e.code, dict(e.headers), e.read()


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
