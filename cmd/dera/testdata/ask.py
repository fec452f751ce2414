"""Makes one API call with boto3 and prints its answer: an independent look at what dera did.

Usage: ask.py SERVICE CALL ARGUMENTS, these as a JSON object. The environment names endpoint and credentials.
"""

import json
import sys

import boto3

service, call, arguments = sys.argv[1:]
answer = getattr(boto3.client(service), call)(**json.loads(arguments))
answer.pop("ResponseMetadata")
print(json.dumps(answer, default=str))
