"""Makes an estate in moto, and says of each resource what is true of it.

Every class of resource is made equally often, in turn, so that each tool meets the same mixture at every size. The truth
is written beside it by the author of the class, not by any tool.
"""

import ipaddress
import json

REGION = "us-east-1"
ACCOUNT = "123456789012"


def rule(protocol, first, last, *sources):
    """An ingress rule as EC2 takes it; a source is a network or a prefix of one of the two families."""
    networks = [(ipaddress.ip_network(s).version, s) for s in sources]
    permission = {"IpProtocol": protocol}
    if protocol != "-1":
        permission |= {"FromPort": first, "ToPort": last}
    if four := [{"CidrIp": s} for v, s in networks if v == 4]:
        permission["IpRanges"] = four
    if six := [{"CidrIpv6": s} for v, s in networks if v == 6]:
        permission["Ipv6Ranges"] = six
    return permission


WORLD, WORLD6 = "0.0.0.0/0", "::/0"

# Classes of security groups: name, rules, and whether the internet reaches SSH or RDP.
GROUPS = [
    ("ssh-world", [rule("tcp", 22, 22, WORLD)], True),
    ("rdp-world", [rule("tcp", 3389, 3389, WORLD)], True),
    ("ssh-world-6", [rule("tcp", 22, 22, WORLD6)], True),
    ("ssh-both-families", [rule("tcp", 22, 22, WORLD, WORLD6)], True),
    ("all-ports", [rule("tcp", 0, 65535, WORLD)], True),
    ("all-traffic", [rule("-1", 0, 0, WORLD)], True),
    ("range-with-ssh", [rule("tcp", 20, 25, WORLD)], True),
    ("world-in-halves", [rule("tcp", 22, 22, "0.0.0.0/1", "128.0.0.0/1")], True),
    ("ssh-world-and-office", [rule("tcp", 22, 22, WORLD, "10.0.0.0/8")], True),
    ("web", [rule("tcp", 443, 443, WORLD)], False),
    ("web-both", [rule("tcp", 80, 80, WORLD), rule("tcp", 443, 443, WORLD, WORLD6)], False),
    ("ssh-office", [rule("tcp", 22, 22, "10.0.0.0/8")], False),
    ("ssh-one-address", [rule("tcp", 22, 22, "10.1.2.3/32")], False),
    ("udp-all", [rule("udp", 0, 65535, WORLD)], False),
    ("database-office", [rule("tcp", 5432, 5432, "10.0.0.0/8")], False),
    ("ping", [rule("icmp", -1, -1, WORLD)], False),
    ("high-ports", [rule("tcp", 1024, 3388, WORLD)], False),
    ("above-rdp", [rule("tcp", 3390, 65535, WORLD)], False),
    ("rdp-office", [rule("tcp", 3389, 3389, "172.16.0.0/12", "fd00::/8")], False),
    ("closed", [], False),
]

BLOCKED = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
READ_ALL = "http://acs.amazonaws.com/groups/global/AllUsers"

# Classes of buckets: name, block of public access, ACL, principal of a policy, and whether anybody may read.
BUCKETS = [
    ("blocked", BLOCKED, None, None, False),
    ("plain", None, None, None, False),
    ("public-acl", None, "public-read", None, True),
    ("public-policy", None, None, "*", True),
    ("blocked-public-policy", BLOCKED, None, "*", False),
]

# Classes of customer managed policies: name, statement, and whether it allows everything.
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
POLICIES = [
    ("admin", [ALL], True),
    ("admin-list", [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}], True),
    ("admin-colon", [{"Effect": "Allow", "Action": "*:*", "Resource": "*"}], True),
    ("admin-second", [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}, ALL], True),
    ("admin-among-others", [{"Effect": "Allow", "Action": ["s3:GetObject", "*"], "Resource": "*"}], True),
    ("read-one", [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}], False),
    ("deny-all", [{"Effect": "Deny", "Action": "*", "Resource": "*"}], False),
    ("list", [{"Effect": "Allow", "Action": ["ec2:Describe*", "s3:List*"], "Resource": "*"}], False),
    ("queue", [{"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:us-east-1:123456789012:work"}], False),
    ("logs", [{"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}], False),
]


def make(client, groups=0, buckets=0, policies=0):
    """Makes so many of each and returns the names of those of which each question is true, by question.

    client(service) gives a boto3 client. One group more than asked is there: the default one of the VPC.
    """
    truth = {"admin_ports": [], "public_bucket": [], "administrator": []}
    for question, service, one, count in (
        ("admin_ports", "ec2", group, groups),
        ("public_bucket", "s3", bucket, buckets),
        ("administrator", "iam", policy, policies),
    ):
        at = client(service)  # one after the other: moto does not stand writes at once
        made = [one(at, n) for n in range(count)]
        truth[question] = sorted(name for name, true in made if true)
    return truth


def group(ec2, n):
    kind, rules, true = GROUPS[n % len(GROUPS)]
    tags = [{"Key": "Name", "Value": f"{kind}-{n}"}, {"Key": "team", "Value": f"team-{n % 7}"}]
    made = ec2.create_security_group(
        GroupName=f"{kind}-{n}", Description=kind, TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}]
    )["GroupId"]
    if rules:
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=rules)
    return made, true


def bucket(s3, n):
    kind, block, acl, principal, true = BUCKETS[n % len(BUCKETS)]
    name = f"{kind}-{n}"
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    if block is None:
        s3.delete_public_access_block(Bucket=name)
    if acl:
        s3.put_bucket_acl(Bucket=name, ACL=acl)
    if principal:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    if block:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    return name, true


def policy(iam, n):
    kind, statements, true = POLICIES[n % len(POLICIES)]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.create_policy(PolicyName=f"{kind}-{n}", PolicyDocument=document)
    return f"{kind}-{n}", true
