"""A cell's `role` on a MiniStack that enforces IAM: who calls may do nothing but assume it.

Without `role` the commands are refused; with it they work, and AWS sees the role's session under the cell's
name; with another external id, or a role that is not there, the role and its cell are named.

Usage: roles.py ARM, in the project's root, by the Python of the local AWS.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3

ACCOUNT, REGION = "123456789012", "us-west-2"
ROLE, EXTERNAL_ID = f"arn:aws:iam::{ACCOUNT}:role/arm-deploy", "acme-7"
UP_SECONDS = 60


def expect(holds: bool, what: str, seen: str = "") -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        raise SystemExit(seen or 1)


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def start(folder: pathlib.Path, endpoint: str) -> subprocess.Popen:
    """A MiniStack that asks every caller's policies."""
    (folder / "files").mkdir()
    environment = os.environ | {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": endpoint.rsplit(":", 1)[1],
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(folder / "files"),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_KINESIS_VIDEO": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    log = (folder / "ministack.log").open("w")
    script = [sys.executable, "generator/local-aws/ministack/start.py"]
    server = subprocess.Popen(script, env=environment, stdout=log, stderr=log)
    deadline = time.monotonic() + UP_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(endpoint + "/_ministack/health", timeout=2).close()
            return server
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    server.kill()
    raise SystemExit((folder / "ministack.log").read_text())


def policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def prepare(endpoint: str) -> dict[str, str]:
    """Makes a user who may only assume roles, and a role that asks for an external id; returns the user's keys."""
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "local"}
    iam = boto3.client("iam", endpoint_url=endpoint, region_name=REGION, **keys)
    iam.create_user(UserName="ci")
    iam.put_user_policy(UserName="ci", PolicyName="p", PolicyDocument=policy(Action="sts:AssumeRole", Resource="*"))
    trust = policy(
        Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/ci"},
        Action="sts:AssumeRole",
        Condition={"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    )
    iam.create_role(RoleName="arm-deploy", AssumeRolePolicyDocument=trust)
    # All but one call, whose refusal shows as whom the caller is seen.
    iam.put_role_policy(
        RoleName="arm-deploy", PolicyName="p", PolicyDocument=policy(NotAction="sqs:*", Resource="*")
    )
    key = iam.create_access_key(UserName="ci")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def main() -> None:
    arm = str(pathlib.Path(sys.argv[1]).resolve())
    endpoint = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = start(folder, endpoint)
        try:
            check(arm, folder, os.environ | prepare(endpoint) | {"AWS_ENDPOINT_URL": endpoint})
        finally:
            server.terminate()
            server.wait()


def check(arm: str, folder: pathlib.Path, environment: dict[str, str]) -> None:
    shutil.copytree("stores", folder / "stores")
    fleet = folder / "stores/fleet.yaml"
    plain = fleet.read_text()

    def told(role: str, external_id: str, *command: str) -> tuple[int, str]:
        home = f"    region: {REGION}\n"
        with_role = plain.replace(home, f"{home}    role: {role}\n    external_id: {external_id}\n")
        fleet.write_text(with_role if role else plain)
        command = [arm, *command, "--stores", str(folder / "stores")]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        return run.returncode, run.stdout + run.stderr

    code, text = told("", "", "diff", "--live")
    expect(code == 3 and ":user/ci is not authorized" in text, "without a role, the caller may read no stack", text)
    code, text = told(ROLE, EXTERNAL_ID, "diff", "--live")
    expect(code == 0 and "a new store" in text, "with the role, the same caller may", text)
    code, text = told(ROLE, EXTERNAL_ID, "redrive", "us-west")
    seen = ":assumed-role/arm-deploy/arm-us-west is not authorized"
    expect(code == 3 and seen in text, "AWS sees the role's session by the cell's name", text)
    refused = f"error: cannot assume the role {ROLE} of the cell `us-west` as arm-us-west"
    for command in (["diff", "--live"], ["redrive", "us-west"], ["cases", "verify", "us-west"]):
        code, text = told(ROLE, "acme-8", *command)
        expect(code == 3 and refused in text, f"arm {command[0]} names a role that the caller may not assume", text)
    code, text = told(ROLE + "-2", EXTERNAL_ID, "diff", "--live")
    expect(code == 3 and f"{ROLE}-2 of the cell `us-west`" in text, "a role that is not there is named", text)


main()
