"""Makes API calls with boto3: an independent look at what dera did. One process for all tests, since to load boto3 takes
longer than the calls.

Reads one JSON object a line, prints one a line.
{"endpoint", "access", "secret", "token"} with {"service", "call", "arguments"}: {"answer": ...}
the same with {"bucket"}: {"answer": who has access to it, as boto3 sees it}
What fails is {"error": "text"}.
"""

import functools
import json
import sys

import boto3
from botocore.exceptions import ClientError


@functools.lru_cache(maxsize=64)
def client(service, endpoint, access, secret, token):
    session = boto3.session.Session(aws_access_key_id=access, aws_secret_access_key=secret, aws_session_token=token)
    c = session.client(service, region_name="us-east-1", endpoint_url=endpoint)
    if service == "s3control":
        # The account stands before the host; an address such as 127.0.0.1 has no names below it.
        c.meta.events.register("before-send.*", plain_host)
    return c


def plain_host(request, **_):
    scheme, _, rest = request.url.partition("//")
    label, _, host = rest.partition(".")
    if label.isdigit() and len(label) == 12:
        request.url = scheme + "//" + host


def ask(call, pick, **args):
    try:
        return pick(call(**args))
    except ClientError as e:
        if e.response["Error"]["Code"].startswith("NoSuch"):
            return None
        raise


def flags(answer):
    return sorted(k for k, v in answer["PublicAccessBlockConfiguration"].items() if v)


def judge(of, bucket):
    s3, control = of("s3"), of("s3control")
    account = of("sts").get_caller_identity()["Account"]
    return {
        "policy": ask(s3.get_bucket_policy, lambda a: a["Policy"], Bucket=bucket) or "",
        "grants": sorted(
            g["Permission"] + " " + (g["Grantee"].get("URI") or "owner") for g in s3.get_bucket_acl(Bucket=bucket)["Grants"]
        ),
        "block": ask(s3.get_public_access_block, flags, Bucket=bucket) or [],
        "tags": ask(s3.get_bucket_tagging, lambda a: {t["Key"]: t["Value"] for t in a["TagSet"]}, Bucket=bucket) or {},
        "account_block": ask(control.get_public_access_block, flags, AccountId=account) or [],
    }


def answer(order):
    def of(service):
        return client(service, order["endpoint"], order["access"], order["secret"], order["token"])

    if "bucket" in order:
        return judge(of, order["bucket"])
    got = getattr(of(order["service"]), order["call"])(**order["arguments"])
    got.pop("ResponseMetadata")
    return got


for line in sys.stdin:
    try:
        out = {"answer": answer(json.loads(line))}
    except Exception as e:  # whatever it is, the test that asked fails with it
        out = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(out, default=str), flush=True)
