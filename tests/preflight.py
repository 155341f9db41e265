"""What `arm preflight` makes of AWS's own answers, read by AWS's own SDK.

A server of this test answers as AWS's API references have it, for what no local AWS has: Service Quotas,
the SMS sandbox, another account's bucket, a session of a role with a path, quotas on several pages. Then
MiniStack answers: what it lacks is unknown, what is left outside of stacks and what a role may not do is
found, and nothing is changed by looking.

Usage: preflight.py ARM SERVE     (SERVE: the local Kinesis Video)
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from faults.aws import ACCOUNT, REGION, ROOT, LocalAws

ROLE = f"arn:aws:iam::{ACCOUNT}:role/ci/deployer"
DENIED = "kinesisvideo:CreateStream"
PAGE = 2
# What was granted, by service; what is not here is only among the defaults.
GRANTED = {
    "sagemaker": {
        "ml.g4dn.2xlarge for endpoint usage": 0.0,
        "ml.p3.2xlarge for endpoint usage": 0.0,
        "ml.g4dn.xlarge for endpoint usage": 1.0,
    },
    "lambda": {"Concurrent executions": 10.0},
}
DEFAULTS = {
    "kinesisvideo": {"Number of video streams": 10_000.0},
    "lambda": {"Concurrent executions": 1_000.0},
    "sagemaker": {
        "Number of instances across active endpoints": 20.0,
        "Maximum number of instances per endpoint": 20.0,
    },
    "cloudformation": {"Stack count": 2_000.0},
    "events": {"Event buses": 100.0},
    "scheduler": {"Number of schedules": 1_000_000.0},
    "sns": {
        "Topics per Account": 100_000.0,
        "Filter Policies per Account": 10_000.0,
        "Filter Policies per Topic": 200.0,
        "Pending Subscriptions per Account": 5_000.0,
    },
    "logs": {"Log groups": 1_000_000.0},
    "iam": {"Roles per account": 1_000.0},
    "s3": {"General purpose buckets": 10_000.0},
    "dynamodb": {"Maximum number of tables": 2_500.0},
    "kms": {"Customer Master Keys (CMKs)": 100_000.0},
}


def expect(holds: bool, what: str) -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        raise SystemExit(1)


def xml(action: str, inner: str, namespace: str) -> str:
    result = f"<{action}Result>{inner}</{action}Result>" if inner else ""
    return f'<{action}Response xmlns="{namespace}">{result}<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>'


class Aws(BaseHTTPRequestHandler):
    """One AWS, scripted; every call is counted by its name."""

    calls: Counter[str] = Counter()
    principals: set[str] = set()
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: str = "", kind: str = "text/xml", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def do_HEAD(self) -> None:
        bucket = self.path.strip("/").split("?")[0].split("/")[0]
        key = self.path.strip("/").split("?")[0].partition("/")[2]
        self.calls["HeadObject" if key else "HeadBucket"] += 1
        if key:
            self.answer(301, headers={"x-amz-bucket-region": "eu-west-1"})
        else:
            self.answer(403 if "-evidence-" in bucket else 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        target = self.headers.get("X-Amz-Target", "")
        if target:
            name = target.split(".")[-1]
            self.calls[name] += 1
            self.json_call(name, json.loads(body))
        elif self.path.startswith("/listStreams"):
            self.calls["ListStreams"] += 1
            condition = json.loads(body)["StreamNameCondition"]
            streams = [f"{condition['ComparisonValue']}tacoma-012-gw-counter-a"]
            told = {"StreamInfoList": [{"StreamName": it} for it in streams]}
            self.answer(200, json.dumps(told), "application/json")
        else:
            form = {key: values[0] for key, values in urllib.parse.parse_qs(body).items()}
            self.calls[form["Action"]] += 1
            self.query_call(form)

    def json_call(self, name: str, body: dict) -> None:
        kind = "application/x-amz-json-1.1"
        if name in ("ListServiceQuotas", "ListAWSDefaultServiceQuotas"):
            table = (GRANTED if name == "ListServiceQuotas" else DEFAULTS).get(body["ServiceCode"], {})
            start = int(body.get("NextToken", "0"))
            rows = [{"ServiceCode": body["ServiceCode"], "QuotaName": it, "Value": value} for it, value in table.items()]
            told: dict = {"Quotas": rows[start : start + PAGE]}
            if start + PAGE < len(rows):
                told["NextToken"] = str(start + PAGE)
            self.answer(200, json.dumps(told), kind)
        elif name == "DescribeTable":
            self.answer(400, json.dumps({"__type": "ResourceNotFoundException", "message": "no"}), kind)
        elif name == "DescribeImages":
            self.answer(400, json.dumps({"__type": "AccessDeniedException", "Message": "no"}), kind)
        else:
            self.answer(400, json.dumps({"__type": "UnknownOperationException", "message": name}), kind)

    def query_call(self, form: dict[str, str]) -> None:
        action = form["Action"]
        if action == "GetCallerIdentity":
            arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/run-7"
            inner = f"<Arn>{arn}</Arn><UserId>A:run-7</UserId><Account>{ACCOUNT}</Account>"
            self.answer(200, xml(action, inner, "https://sts.amazonaws.com/doc/2011-06-15/"))
        elif action == "GetRole":
            role = f"<Role><Path>/ci/</Path><Arn>{ROLE}</Arn><RoleName>deployer</RoleName><RoleId>A</RoleId><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>"
            self.answer(200, xml(action, role, "https://iam.amazonaws.com/doc/2010-05-08/"))
        elif action == "SimulatePrincipalPolicy":
            self.simulate(form)
        elif action == "DescribeStacks":
            self.answer(200, xml(action, "<Stacks/>", "http://cloudformation.amazonaws.com/doc/2010-05-15/"))
        elif action == "GetSMSSandboxAccountStatus":
            self.answer(200, xml(action, "<IsInSandbox>true</IsInSandbox>", "http://sns.amazonaws.com/doc/2010-03-31/"))
        elif action == "GetSMSAttributes":
            entry = "<attributes><entry><key>MonthlySpendLimit</key><value>1</value></entry></attributes>"
            self.answer(200, xml(action, entry, "http://sns.amazonaws.com/doc/2010-03-31/"))
        elif action == "GetTopicAttributes":
            entry = "<Attributes><entry><key>SubscriptionsPending</key><value>1</value></entry></Attributes>"
            self.answer(200, xml(action, entry, "http://sns.amazonaws.com/doc/2010-03-31/"))
        else:
            self.answer(400, f"<ErrorResponse><Error><Code>InvalidAction</Code><Message>{action}</Message></Error></ErrorResponse>")

    def simulate(self, form: dict[str, str]) -> None:
        self.principals.add(form["PolicySourceArn"])
        actions = [value for key, value in form.items() if key.startswith("ActionNames.member.")]
        rows = "".join(
            f"<member><EvalActionName>{it}</EvalActionName><EvalResourceName>{form['ResourceArns.member.1']}</EvalResourceName>"
            f"<EvalDecision>{'implicitDeny' if it == DENIED else 'allowed'}</EvalDecision></member>"
            for it in actions
        )
        inner = f"<IsTruncated>false</IsTruncated><EvaluationResults>{rows}</EvaluationResults>"
        self.answer(200, xml("SimulatePrincipalPolicy", inner, "https://iam.amazonaws.com/doc/2010-05-08/"))


def preflight(arm: str, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [arm, "preflight", *options]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=180
    )


def checks(told: subprocess.CompletedProcess[str]) -> dict[str, list[dict]]:
    """The checks of the one cell, by their verdicts."""
    answer = json.loads(told.stdout)
    expect(answer["schema"] == "arm.preflight/1" and len(answer["cells"]) == 1, "one cell, in the schema")
    cell = answer["cells"][0]
    found: dict[str, list[dict]] = {"failed": [], "warning": [], "unknown": [], "passed": []}
    for check in cell["checks"]:
        found[check["verdict"]].append(check)
    expect(
        [len(it) for it in found.values()] == [cell["failed"], cell["warnings"], cell["unknown"], cell["passed"]],
        "the counts are those of the checks",
    )
    return found


def has(found: list[dict], area: str, words: str) -> None:
    text = [" ".join([it["text"], *it["details"]]) for it in found if it["area"] == area]
    expect(any(words in it for it in text), f"{area}: {words}")


def scripted(arm: str) -> None:
    """Everything that only a scripted AWS answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Aws)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    told = preflight(arm, environment, "--format", "json")
    expect(told.returncode == 1, "a deploy that would fail ends with 1")
    found = checks(told)
    has(found["failed"], "permissions", DENIED)
    expect(len([it for it in found["failed"] if it["area"] == "permissions"]) == 1, "and nothing else is denied")
    has(found["failed"], "quotas", "`sagemaker_instances.ml.g4dn.xlarge`: 8 needed, 1 granted")
    has(found["warning"], "quotas", "`lambda_concurrency`")
    has(found["passed"], "quotas", "cloudformation_stacks (5 needed, 2,000 granted)")
    expect(not [it for it in found["unknown"] if it["area"] == "quotas"], "every quota is known by AWS's name, page by page")
    has(found["failed"], "names", f"arm-us-west-evidence-{ACCOUNT}-{REGION} belongs to another account")
    has(found["failed"], "names", "arm-us-west-tacoma-012-gw-counter-a")
    has(found["failed"], "model", "is in another region than us-west-2")
    has(found["unknown"], "model", "these credentials may not look")
    has(found["warning"], "text-messages", "SMS sandbox")
    has(found["warning"], "text-messages", "$1 on text messages")
    has(found["warning"], "subscriptions", "1 of the subscriptions")
    expect(Aws.principals == {ROLE}, "the role is simulated by its ARN, which has its path")
    changing = [it for it in Aws.calls if not it.startswith(("Describe", "Get", "Head", "List", "Simulate"))]
    expect(changing == [], f"{sum(Aws.calls.values())} calls, none of which changes anything")
    for line in preflight(arm, environment).stdout.splitlines():
        print("  | " + line)
    server.shutdown()


def ministack(arm: str, serve: str) -> None:
    """The same questions to a local AWS: before a deploy, and of stacks that `arm` did not make."""
    with tempfile.TemporaryDirectory() as folder:
        aws = LocalAws(Path(folder), arm, serve)
        try:
            environment = aws.environment() | {
                "AWS_ENDPOINT_URL": aws.gateway,
                "AWS_ENDPOINT_URL_KINESIS_VIDEO": aws.video,
            }
            found = checks(preflight(arm, environment, "--format", "json"))
            has(found["unknown"], "permissions", "root user")
            has(found["unknown"], "quotas", "cannot list the quotas")
            has(found["unknown"], "text-messages", "GetSMSSandboxAccountStatus")
            has(found["passed"], "names", "are free")
            has(found["failed"], "model", "model.tar.gz")
            s3 = aws.client("s3")
            for bucket in ("example-models", f"arm-us-west-logs-{ACCOUNT}-{REGION}"):
                s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_object(Bucket="example-models", Key="shelf-behaviour/2026.11.1/model.tar.gz", Body=b"weights")
            aws.local("POST", "/createStream", {"StreamName": "arm-us-west-tacoma-012-gw-counter-a"})
            role = session(aws)
            found = checks(preflight(arm, environment | role, "--format", "json"))
            has(found["failed"], "permissions", DENIED)
            has(found["failed"], "names", f"arm-us-west-logs-{ACCOUNT}-{REGION} is there outside of any stack")
            has(found["failed"], "names", "arm-us-west-tacoma-012-gw-counter-a")
            has(found["passed"], "model", "model.tar.gz is there")
            stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
            expect(stacks == [], "and no stack was made by looking")
            topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
            aws.client("cloudformation").create_stack(StackName="arm-us-west-artifacts", TemplateBody=json.dumps(topic))
            found = checks(preflight(arm, environment, "--format", "json"))
            has(found["failed"], "names", "arm-us-west-artifacts: has no tag arm:cell; something else made it")
            other = preflight(arm, environment | {"AWS_ACCESS_KEY_ID": "999999999999"}, "--format", "json")
            found = checks(other)
            expect(other.returncode == 1 and len(found["failed"]) == 1, "credentials of another account: 1")
            has(found["failed"], "identity", "of account 999999999999")
        finally:
            aws.stop()
    nowhere = preflight(arm, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", **aws.environment()}, "--format", "json")
    has(checks(nowhere)["failed"], "identity", "it is not known whose the credentials are")


def session(aws: LocalAws) -> dict[str, str]:
    """Credentials of a role that may do everything but make video streams."""
    iam, sts = aws.client("iam"), aws.client("sts")
    anybody = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    trust = {"Version": "2012-10-17", "Statement": [anybody]}
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(trust))
    rights = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": DENIED, "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": rights})
    iam.put_role_policy(RoleName="deployer", PolicyName="rights", PolicyDocument=policy)
    arn = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    made = sts.assume_role(RoleArn=arn, RoleSessionName="run-7")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


def main(arm: str, serve: str) -> None:
    arm, serve = os.path.abspath(arm), os.path.abspath(serve)
    scripted(arm)
    ministack(arm, serve)


if __name__ == "__main__":
    main(*sys.argv[1:])
