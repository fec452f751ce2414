"""Tells what stands in an account, as boto3 sees it: an independent look at what dera did and at what it left alone.

Prints one JSON object, a part of the account under each key. IDs that AWS mints again for a rule, and a clock, are left out. The environment names
endpoint and credentials.
"""

import json

import boto3
from botocore.exceptions import ClientError

s3, ec2, iam = boto3.client("s3"), boto3.client("ec2"), boto3.client("iam")
account = boto3.client("sts").get_caller_identity()["Account"]
control = boto3.client("s3control")


def plain_host(request, **_):
    """The account stands before the host; an address such as 127.0.0.1 has no names below it."""
    request.url = request.url.replace("//" + account + ".", "//")


control.meta.events.register("before-send.*", plain_host)


def ask(call, **args):
    try:
        answer = call(**args)
    except ClientError as error:
        return error.response["Error"]["Code"]
    answer.pop("ResponseMetadata", None)
    return answer


def ordered(value):
    """Lists in one order, whatever the service lists first."""
    if isinstance(value, dict):
        return {k: ordered(v) for k, v in value.items() if k not in ("SecurityGroupRuleId", "SecurityGroupRuleArn", "LatestRestorableTime")}
    if isinstance(value, list):
        return sorted((ordered(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True, default=str))
    return value


out = {"block of the account": ask(control.get_public_access_block, AccountId=account)}
for bucket in s3.list_buckets()["Buckets"]:
    name = bucket["Name"]
    for part in (
        "policy acl ownership_controls tagging website cors encryption versioning logging lifecycle_configuration replication"
        " notification_configuration request_payment location"
    ).split():
        out["bucket " + name + " " + part] = ask(getattr(s3, "get_bucket_" + part), Bucket=name)
    out["bucket " + name + " public_access_block"] = ask(s3.get_public_access_block, Bucket=name)
    objects = ask(s3.list_object_versions, Bucket=name)
    for o in objects.get("Versions", []) if isinstance(objects, dict) else []:
        out["object " + name + "/" + o["Key"] + " " + o["VersionId"]] = [o["ETag"], ask(s3.get_object_acl, Bucket=name, Key=o["Key"])]
rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
for group in ec2.describe_security_groups()["SecurityGroups"]:
    mine = [r for r in rules if r["GroupId"] == group["GroupId"]]
    for key in ("IpPermissions", "IpPermissionsEgress"):
        group.pop(key)
    out["group " + group["GroupId"] + " itself"] = group
    for way in (False, True):
        out["group " + group["GroupId"] + (" outbound" if way else " inbound")] = [r for r in mine if r["IsEgress"] == way]
for what in "instances vpcs subnets route_tables network_acls network_interfaces volumes key_pairs internet_gateways addresses flow_logs".split():
    out["ec2 " + what] = ask(getattr(ec2, "describe_" + what))
out["iam"] = ask(iam.get_account_authorization_details, Filter=["User", "Role", "Group", "LocalManagedPolicy"])
out["lambda"] = ask(boto3.client("lambda").list_functions)
out["rds"] = ask(boto3.client("rds").describe_db_instances)
out["cloudtrail"] = ask(boto3.client("cloudtrail").describe_trails)
print(json.dumps({k: ordered(v) for k, v in out.items()}, default=str, sort_keys=True))
