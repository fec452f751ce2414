"""Tells who has access to a bucket, as boto3 sees it: an independent look at what dera did.

Usage: judge.py BUCKET. Prints one JSON object. The environment names endpoint and credentials.
"""

import json
import os
import sys

import boto3
from botocore.exceptions import ClientError

bucket = sys.argv[1]
s3 = boto3.client("s3")
account = boto3.client("sts").get_caller_identity()["Account"]
control = boto3.client("s3control")


def plain_host(request, **_):
    """The account stands before the host; an address such as 127.0.0.1 has no names below it."""
    request.url = request.url.replace("//" + account + ".", "//")


control.meta.events.register("before-send.*", plain_host)


def ask(call, pick, **args):
    try:
        return pick(call(**args))
    except ClientError as e:
        code = e.response["Error"]["Code"]
        if code.startswith("NoSuch"):
            return None
        raise


def flags(answer):
    return sorted(k for k, v in answer["PublicAccessBlockConfiguration"].items() if v)


print(
    json.dumps(
        {
            "policy": ask(s3.get_bucket_policy, lambda a: a["Policy"], Bucket=bucket) or "",
            "grants": sorted(
                g["Permission"] + " " + (g["Grantee"].get("URI") or "owner")
                for g in s3.get_bucket_acl(Bucket=bucket)["Grants"]
            ),
            "block": ask(s3.get_public_access_block, flags, Bucket=bucket) or [],
            "tags": ask(s3.get_bucket_tagging, lambda a: {t["Key"]: t["Value"] for t in a["TagSet"]}, Bucket=bucket) or {},
            "account_block": ask(control.get_public_access_block, flags, AccountId=account) or [],
        }
    )
)
