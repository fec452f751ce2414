"""Measures dera beside Cloud Custodian and Prowler on one estate in moto, and holds what each found against the truth.

One line of JSON a run goes to .bench/peers.jsonl, and a table to standard output. CPU is that of the tool's processes alone
(wait4), peak memory their largest resident set, calls are those that moto got; "outside moto" is the wall time without the CPU time
of moto, which is slower than AWS in one process. Runs of the tools alternate. Compare within one run: machines differ.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

import estate

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
PEERS = ROOT / ".tools" / "peers"

# What is asked of each kind: dera's controls, the policies of Custodian, and the checks of Prowler.
QUESTIONS = {
    "admin_ports": {
        "dera": ["ec2-securitygroup-admin-ports-open"],
        "custodian": ["groups.yml"],
        "prowler": [f"ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_{p}" for p in (22, 3389)],
    },
    "public_bucket": {
        "dera": ["s3-bucket-public-acl", "s3-bucket-public-policy"],
        "custodian": ["buckets.yml"],
        "custodian, lean": ["buckets-lean.yml"],
        "prowler": ["s3_bucket_public_access"],
    },
    "administrator": {
        "dera": ["iam-policy-administrator"],
        "custodian": ["policies.yml"],
        "prowler": ["iam_customer_unattached_policy_no_administrative_privileges"],
    },
}
ROWS = [
    ("1,000 groups", {"groups": 1000}),
    ("2,500 groups", {"groups": 2500}),
    ("5,000 groups", {"groups": 5000}),
    ("200 buckets", {"buckets": 200}),
    ("1,000 buckets", {"buckets": 1000}),
    ("500 policies", {"policies": 500}),
    ("1,000 groups and 200 buckets", {"groups": 1000, "buckets": 200}),
]
KIND = {"groups": "admin_ports", "buckets": "public_bucket", "policies": "administrator"}


class Estate:
    """A moto of its own with so many resources."""

    def __init__(self, size):
        env = os.environ | {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
        self.server = subprocess.Popen([sys.executable, HERE / "server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
        self.url = f"http://127.0.0.1:{int(self.server.stdout.readline())}"
        keys = {"aws_access_key_id": "measured", "aws_secret_access_key": "measured", "region_name": estate.REGION}
        self.truth = estate.make(lambda service: boto3.client(service, endpoint_url=self.url, **keys), **size)
        self.asked = [KIND[k] for k in size]

    def true(self):
        return {name for kind in self.asked for name in self.truth[kind]}

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return json.load(answer)

    def close(self):
        self.server.stdin.close()
        self.server.wait()


class Tool:
    """One program: how it is run on an estate, and what it found. The folder is that of one run."""

    codes = (0,)

    def __init__(self, name, asked):
        self.name, self.asked = name, asked

    def asks(self):
        return [q for k in self.asked for q in QUESTIONS[k][self.name]]


class Dera(Tool):
    codes = (0, 3)

    def command(self, folder):
        config = folder / "dera.yaml"
        most = {"budget_per_hour": 100000, "budget_organization_per_hour": 100000, "settle": "1ms"}  # moto is consistent
        config.write_text(json.dumps({"version": 1, "controls": sorted(c for k in self.asked for c in DERA[k])} | most))
        return [ROOT / "dist" / "dera", "scan", "--data", folder / "data", "--config", config]

    def found(self, folder, env):
        command = [ROOT / "dist" / "dera", "findings", "--data", folder / "data", "-o", "json"]
        out = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return {last(f["resource"]) for f in json.loads(out.stdout) if f["control"] in self.asks() and f["state"] == "open"}


class Fixing(Dera):
    """dera with the order to carry out what it decided."""

    def command(self, folder):
        return [*super().command(folder), "--apply", "--mode", "enforce", "--no-exemptions"]


# dera runs every control of the kind, with plans, proofs and records, not just the one that answers the question.
DERA = {"admin_ports": ["ec2-securitygroup-*"], "public_bucket": ["s3-*"], "administrator": ["iam-policy-*"]}


class Custodian(Tool):
    def command(self, folder):
        files = [HERE / "policies" / p for p in self.asks()]
        return [PEERS / "c7n/bin/custodian", "run", "--dryrun", "--cache-period", "0", "--region", estate.REGION, "-s", folder / "out", *files]

    def found(self, folder, env):
        out = set()
        for path in folder.glob("out/*/resources.json"):
            for r in json.loads(path.read_text()):
                out.add(r.get("GroupId") or r.get("PolicyName") or r.get("Name"))
        return out


class Prowler(Tool):
    codes = (0, 3)

    def command(self, folder):
        flags = ["--region", estate.REGION, "--no-banner", "--scan-unused-services", "--output-formats", "csv", "--output-directory", folder / "out", "--output-filename", "found"]
        return [PEERS / "prowler/bin/prowler", "aws", *flags, "--checks", *self.asks()]

    def found(self, folder, env):
        import csv

        csv.field_size_limit(1 << 24)
        with open(folder / "out" / "found.csv") as f:
            rows = list(csv.DictReader(f, delimiter=";"))
        return {last(r["RESOURCE_UID"]) for r in rows if r["STATUS"] == "FAIL"}


def last(arn):
    """The ID or name at the end of an ARN."""
    return arn.rpartition(":")[2].rpartition("/")[2]


TOOLS = {"dera": Dera, "custodian": Custodian, "custodian, lean": Custodian, "prowler": Prowler}


def measure(tool, at, folder):
    """Runs a tool once and returns the figures of the run."""
    env = os.environ | {
        "AWS_ENDPOINT_URL": at.url, "AWS_ACCESS_KEY_ID": "measured", "AWS_SECRET_ACCESS_KEY": "measured", "AWS_REGION": estate.REGION,
        "AWS_DEFAULT_REGION": estate.REGION, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(folder),
    }
    command = [str(part) for part in tool.command(folder)]
    at.get("/-/mark")
    began = time.monotonic()
    with open(folder / "said", "wb") as said:
        process = subprocess.Popen(command, env=env, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall, server = time.monotonic() - began, at.get("/-/mark")
    if process.returncode not in tool.codes:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{(folder / 'said').read_text()[-2000:]}")
    found, truth = tool.found(folder, env), at.true()
    return {
        "wall": wall, "outside": wall - server["cpu"], "cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss / 1024, "calls": sum(server["calls"].values()),
        "found": len(found & truth), "missed": len(truth - found), "wrong": len(found - truth), "by_call": server["calls"], "names": found,
    }


def once(tool, at):
    """Runs a tool once in a folder of its own; returns the figures and what was found."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="peers-"))
    try:
        return measure(tool, at, folder)
    finally:
        shutil.rmtree(folder)


def fixed(size, tools):
    """Has dera fix what it decides to, and the peers look again: what they still find, dera has to have left open.

    Returns whether that is not so.
    """
    at = Estate(size)
    peers = [TOOLS[t](t, at.asked) for t in tools if t in ("custodian", "prowler")]
    before = {t.name: once(t, at)["names"] for t in peers}
    fix = once(Fixing("dera", at.asked), at)
    left, false = fix["names"], False
    print(f"\nFixes: {len(at.true() - left)} of {len(at.true())} in {fix['calls']:,} calls and {fix['cpu']:.2f} s of CPU; {len(left)} wait for a person.\n")
    print("| after the fixes | found before | found now | of these dera says fixed | rightly found before, not any more, and not fixed |\n|---|---|---|---|---|")
    for t in peers:
        now = once(t, at)["names"]
        lost = (before[t.name] & at.true()) - now - (at.true() - left)
        false = false or bool(now & at.true() - left) or bool(lost)
        print(f"| {t.name} | {len(before[t.name])} | {len(now)} | {len(now & at.true() - left)} | {len(lost)} |", flush=True)
    at.close()
    return false


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--runs", type=int, default=3, help="runs of each tool; medians are shown")
    p.add_argument("--late", type=float, nargs="*", default=[0, 25], help="milliseconds that each call is held, one table each")
    p.add_argument("--rows", nargs="*", help="parts of the names of rows; all without")
    p.add_argument("--tools", nargs="*", default=list(TOOLS))
    p.add_argument("--fix", type=int, default=200, help="groups, and a fifth as many buckets, that dera fixes; 0 for none")
    p.add_argument("--out", default=str(ROOT / ".bench" / "peers.jsonl"))
    flags = p.parse_args()
    pathlib.Path(flags.out).parent.mkdir(exist_ok=True)
    false = False  # what dera says is not true of the estate
    print("| estate | ms a call | tool | calls | CPU s | memory MiB | wall s | outside moto s | found | missed | wrong |\n|---|---|---|---|---|---|---|---|---|---|---|")
    for name, size in ROWS:
        if flags.rows and not any(part in name for part in flags.rows):
            continue
        at = Estate(size)
        tools = [TOOLS[t](t, at.asked) for t in flags.tools if all(t in QUESTIONS[k] for k in at.asked)]
        for late in flags.late:
            at.get(f"/-/late?ms={late}")
            runs = {t.name: [] for t in tools}
            for _ in range(flags.runs):
                for t in tools:
                    run = once(t, at)
                    del run["names"]
                    false = false or t.name == "dera" and run["missed"] + run["wrong"] > 0
                    runs[t.name].append(run)
                    with open(flags.out, "a") as out:
                        print(json.dumps({"estate": name, "late_ms": late, "tool": t.name} | run), file=out)
            for t in tools:
                middle = {k: statistics.median(r[k] for r in runs[t.name]) for k in runs[t.name][0] if k != "by_call"}
                print("| {} | {:g} | {} | {calls:,.0f} | {cpu:.2f} | {memory:.0f} | {wall:.1f} | {outside:.1f} | {found:.0f} | {missed:.0f} | {wrong:.0f} |".format(name, late, t.name, **middle), flush=True)
        at.close()
    if flags.fix:
        false |= fixed({"groups": flags.fix, "buckets": flags.fix // 5}, flags.tools)
    if false:
        sys.exit("dera missed something, found what is not there, or says fixed of what is not")


if __name__ == "__main__":
    main()
