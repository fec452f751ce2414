"""Makes the API calls of test cases, each case in an account of its own, and tells what came of it.

Reads one JSON object a line: {"credentials": {...}, "account": "...", "calls": [{"service", "region", "op", "params"}], "tell": ["text"]}.
A text of params may hold ${N.path}, a part of the answer to call N; so may those of tell. Names of buckets are everybody's, so
that each gets the number of its account. Prints one JSON object a line:
{"told": ["text"], "failed": ["op: error"]}. The environment names the endpoint.
"""

import base64
import json
import re
import sys

import boto3
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

RECORDED = "123456789012"
session = boto3.session.Session()


def part(answers, reference):
    """The part of an answer that N.a.b[0].c names; the reference itself where there is none."""
    number, _, path = reference.partition(".")
    try:
        value = answers[int(number)]
        for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
            value = value[int(index)] if index else value[name]
        return str(value)
    except (KeyError, IndexError, TypeError):
        return "${" + reference + "}"


def fill(value, answers, account):
    if isinstance(value, str):
        value = re.sub(r"\$\{([^}]*)\}", lambda m: part(answers, m.group(1)), value).replace(RECORDED, account)
        for name in buckets:
            value = value.replace(name, name + "-" + account)
        return value
    if isinstance(value, list):
        return [fill(v, answers, account) for v in value]
    if isinstance(value, dict):
        if set(value) == {"$b64"}:
            return base64.b64decode(value["$b64"])
        return {k: fill(v, answers, account) for k, v in value.items()}
    return value


for line in sys.stdin:
    case = json.loads(line)
    account, clients, answers, failed = case["account"], {}, [], []
    buckets = [c["params"]["Bucket"] for c in case["calls"] if c["op"] == "CreateBucket"]

    def plain_host(request, **_):
        """The account stands before the host; an address such as 127.0.0.1 has no names below it."""
        request.url = request.url.replace("//" + account + ".", "//")

    for call in case["calls"]:
        region = call["region"] if call["region"] != "aws-global" else "us-east-1"
        key = call["service"], region
        if key not in clients:
            clients[key] = session.client(call["service"], region_name=region, **case["credentials"])
            clients[key].meta.events.register("before-send.*", plain_host)
        answer = None
        try:
            method = getattr(clients[key], xform_name(call["op"]))
            answer = method(**fill(call["params"], answers, account))
        except (ClientError, BotoCoreError) as error:
            failed.append(call["op"] + ": " + str(error))
        answers.append(answer)
    print(json.dumps({"told": [fill(t, answers, account) for t in case["tell"]], "failed": failed}), flush=True)
