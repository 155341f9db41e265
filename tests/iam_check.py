"""Asks an independent simulator of IAM about the calls that the functions really made.

Every recorded call, and everything AWS does with the functions' roles, must be allowed by the
generated roles and resource policies together; nothing that a role grants may be unused; and the same
calls must be refused on what belongs to another cell, account, region or store, without TLS, and
without the service that may use a key. What a call needs stands in `iam_calls.py`.

Usage: iam_check.py ARM NODE NODE_MODULES CALLS...     (each of CALLS: JSON lines of the fault proxy)
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from iam_calls import Need, UnknownCall, of_call, of_detector, of_gateways, of_lambda, of_services, role
from iam_templates import PARTITION, Cell

ROOT = Path(__file__).resolve().parents[1]
# The example cell of stores/, in which the rehearsal and its like deploy.
CELL, ACCOUNT, REGION = "us-west", "123456789012", "us-west-2"
# Of requests that are alike (see `kind`) so many are asked; there are thousands.
ALIKE_MAX = 3
# Grants on everything, with the reason; any other is an error.
NO_RESOURCES = "the action knows no resources (Service Authorization Reference)"
ON_EVERYTHING = {
    "dynamodb:ListStreams": NO_RESOURCES,
    "ecr:GetAuthorizationToken": NO_RESOURCES,
    "cloudwatch:PutMetricData": NO_RESOURCES,
}
# The simulator knows no key of an encryption context: another key that takes an ARN stands in for it,
# in the request and in the policy, where neither uses that key for itself.
STAND_IN = ("kms:EncryptionContext:aws:logs:arn", "aws:SourceArn")


def expect(holds: bool, what: str) -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        raise SystemExit(1)


class Simulator:
    """Asks about many requests in one process."""

    def __init__(self, node: str, modules: str, cell: Cell) -> None:
        self.command = [node, str(Path(__file__).with_name("iam_simulate.cjs")), modules]
        self.cell, self.roles, self.policies = cell, cell.roles(), cell.resource_policies()

    def policy_of(self, resource: str) -> dict | None:
        return self.policies.get(resource.split("/", 1)[0] if ":s3:::" in resource else resource)

    def request(self, need: Need, identity: list[dict] | None = None, policy: dict | None = None) -> dict:
        context: dict[str, object] = {"aws:SecureTransport": "true"}
        context |= {key: list(value) if isinstance(value, tuple) else value for key, value in need.context}
        if identity is None:
            identity = self.roles[need.principal.rsplit("/", 1)[1]] if need.principal.startswith("arn:") else []
        parts = need.resource.split(":")
        account = parts[4] if len(parts) > 4 and parts[4] else self.cell.account
        policy = policy or self.policy_of(need.resource)
        if STAND_IN[0] in context:
            context[STAND_IN[1]] = context.pop(STAND_IN[0])
            policy = json.loads(json.dumps(policy).replace(*STAND_IN))
        return {
            "principal": need.principal,
            "action": need.action,
            "resource": need.resource,
            "account": account,
            "context": context,
            "identity": identity,
            "resource_policy": policy,
            "unchecked": need.unchecked,
        }

    def ask(self, requests: list[dict]) -> list[str]:
        """What IAM would answer: `Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied`."""
        told = subprocess.run(
            self.command, input=json.dumps({"requests": requests}), capture_output=True, text=True, check=False, timeout=300
        )
        if told.returncode != 0:
            raise SystemExit(f"the simulator failed: {told.stderr}")
        answers = json.loads(told.stdout)
        for request, answer in zip(requests, answers, strict=True):
            # A key that the simulator drops would leave a condition untried.
            dropped = set(answer["ignored"]) - {"aws:SecureTransport"}
            if answer["error"] or dropped:
                shown = {key: request[key] for key in ("principal", "action", "resource", "context")}
                raise SystemExit(f"the simulator cannot judge {shown}: {answer['error'] or dropped}")
        return [answer["result"] for answer in answers]


def read(paths: list[str]) -> list[dict]:
    """The recorded calls; those that never reached AWS are calls that the function wanted all the same."""
    calls = []
    for path in paths:
        calls += [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]
    return calls


def kind(need: Need) -> tuple:
    """What a need is like: which case, camera or object it is about makes no difference to a policy."""
    resource = re.sub(r"-gw-[^/]*", "-gw-", need.resource)
    resource = re.sub(r"^(arn:[\w-]+:s3:::[^/]+/[^/]+/).*", r"\1", resource)
    context = [(key, str(value).split("#", 1)[0] if key == "dynamodb:LeadingKeys" else value) for key, value in need.context]
    return need.principal, need.action, resource, tuple(context)


def short(need: Need) -> str:
    context = ", ".join(f"{key}={value[0] if isinstance(value, tuple) else value}" for key, value in need.context)
    return f"{need.principal.rsplit('/', 1)[-1]}: {need.action} on {need.resource}" + (f" ({context})" if context else "")


def all_allowed(simulator: Simulator, needs: list[Need], what: str) -> None:
    answers = simulator.ask([simulator.request(need) for need in needs])
    refused = [f"{short(need)}: {answer}" for need, answer in zip(needs, answers, strict=True) if answer != "Allowed"]
    for line in refused:
        print("        " + line)
    expect(not refused, f"{what}: {len(needs)} requests, none refused")


def all_refused(simulator: Simulator, requests: list[dict], what: str) -> None:
    if not requests:
        raise SystemExit(f"{what}: there is nothing to try")
    answers = simulator.ask(requests)
    allowed = [it for it, answer in zip(requests, answers, strict=True) if answer == "Allowed"]
    for it in allowed:
        print(f"        allowed: {it['principal']}: {it['action']} on {it['resource']} {it['context']}")
    expect(not allowed, f"{what}: {len(requests)} requests, all refused")


def generated(arm: str) -> Cell:
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(arm).resolve()), "generate", "--out", folder]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=120)
        return Cell(Path(folder) / CELL, ACCOUNT, REGION)


def recorded(cell: Cell, calls: list[dict]) -> dict[str, list[Need]]:
    """What each function's calls need, each need once; prints how many calls there were."""
    asked: dict[tuple, dict[Need, None]] = defaultdict(dict)
    counts: dict[str, Counter] = defaultdict(Counter)
    unknown = set()
    for call in calls:
        counts[call["function"]][f"{call['service']}:{call['operation']}"] += 1
        try:
            for need in of_call(cell, call):
                asked[kind(need)].setdefault(need)
        except UnknownCall as error:
            unknown.add(f"{call['function']}: {error}")
    for line in sorted(unknown):
        print("        " + line)
    expect(not unknown, "every recorded call is in the map, and every name in it is a stack's")
    needs: dict[str, list[Need]] = defaultdict(list)
    for alike in asked.values():
        for need in list(alike)[:ALIKE_MAX]:
            needs[need.principal.rsplit(f"{cell.prefix}-", 1)[1]].append(need)
    for function, operations in sorted(counts.items()):
        actions = sorted({need.action for need in needs[function]})
        print(f"        {function}: {operations.total()} calls ({dict(operations)})")
        print(f"          {len(needs[function])} requests of {len(actions)} actions: {', '.join(actions)}")
    functions = {it["Handler"] for _, it in cell.all("AWS::Lambda::Function")}
    expect(functions == set(counts), f"calls of every function are recorded: {sorted(functions)}")
    return needs


def atoms(policy: dict) -> Iterator[tuple[str, dict]]:
    """Each single thing that a policy grants, as a policy of its own, with words for it."""
    for statement in policy["Statement"]:
        listed = lambda value: value if isinstance(value, list) else [value]
        conditions = [
            (operator, key, value)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
            for value in listed(values)
        ]
        slots = sorted({(operator, key) for operator, key, _ in conditions})
        choices = [[it for it in conditions if (it[0], it[1]) == slot] for slot in slots]
        for action, resource, *chosen in product(listed(statement["Action"]), listed(statement["Resource"]), *choices):
            condition = defaultdict(dict)
            for operator, key, value in chosen:
                condition[operator][key] = value
            words = f"{action} on {resource}" + "".join(f", {key} {value}" for _, key, value in chosen)
            one = {"Effect": statement["Effect"], "Action": action, "Resource": resource, "Condition": condition}
            yield words, {"Version": "2012-10-17", "Statement": [one]}


def none_unused(simulator: Simulator, mine: dict[str, list[Need]], aws_s: dict[str, list[Need]]) -> None:
    """Every single grant of every role is used by a call, or by AWS itself."""
    tried = {*mine, *aws_s}
    expect(tried == set(simulator.roles), f"all {len(tried)} roles are tried")
    names, requests = [], []
    for name in sorted(tried):
        policies = simulator.roles[name]
        for words, policy in (atom for one in policies for atom in atoms(one)):
            action = policy["Statement"][0]["Action"]
            if "*" in action:
                expect(False, f"{name}: {action} is one action")
            if policy["Statement"][0]["Resource"] == "*" and action not in ON_EVERYTHING:
                expect(False, f"{name}: {action} is granted on one thing")
            for who, needs in (("call", mine.get(name, [])), ("AWS", aws_s.get(name, []))):
                for need in needs:
                    if need.action == action:
                        names.append((name, words, who, need.source))
                        key = simulator.policy_of(need.resource) if action.startswith("kms:") else None
                        requests.append(simulator.request(need, [policy]) | {"resource_policy": key})
            names.append((name, words, "", ""))
            requests.append(None)
    asked = [it for it in requests if it is not None]
    answers = iter(simulator.ask(asked))
    used: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for (name, words, who, source), request in zip(names, requests, strict=True):
        by = used[name, words]
        if request is not None and next(answers) == "Allowed":
            by.setdefault(who, source)
    unused = [f"{name}: {words}" for (name, words), by in used.items() if not by]
    for line in unused:
        print("        unused: " + line)
    expect(not unused, f"of {len(used)} single grants none is unused")
    only_aws: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (name, words), by in used.items():
        if "call" not in by:
            only_aws[by["AWS"], words.split(" ", 1)[0]].add(name.removeprefix(f"arm-{CELL}-"))
    print("        granted for what AWS itself does with the roles, by the source:")
    for (source, action), names_of in sorted(only_aws.items()):
        print(f"          {action} ({', '.join(sorted(names_of))}): {source}")


def elsewhere(simulator: Simulator, needs: list[Need]) -> dict[str, list[dict]]:
    """The same requests on what belongs to others; the others' own policies are like ours."""
    swaps = {
        "another cell of the account and region": (f"arm-{CELL}-", "arm-us-lab-"),
        "a cell whose id begins like ours": (f"arm-{CELL}-", f"arm-{CELL}2-"),
        "a cell whose id ours begins with": (f"arm-{CELL}-", "arm-us-"),
        "another account": (ACCOUNT, "999999999999"),
        "another region": (REGION, "us-east-1"),
    }
    found = {}
    for what, (ours, theirs) in swaps.items():
        requests = []
        for need in needs:
            resource = need.resource.replace(ours, theirs)
            if resource == need.resource:
                continue
            policy = simulator.policy_of(need.resource)
            policy = json.loads(json.dumps(policy).replace(ours, theirs)) if policy else None
            moved = Need(need.principal, need.action, resource, need.context, need.source, need.unchecked)
            requests.append(simulator.request(moved, policy=policy))
        found[what] = requests
    return found


def wrong_ways(simulator: Simulator, needs: list[Need]) -> dict[str, list[dict]]:
    """The same requests on our own, but as they must not be made."""
    requests = [simulator.request(need) for need in needs]
    of = lambda *services: [it for it in requests if it["action"].split(":")[0] in services]
    bare = lambda it, **more: it | {"context": {key: value for key, value in it["context"].items() if key != "kms:ViaService"} | more}
    plain = [it | {"context": it["context"] | {"aws:SecureTransport": "false"}} for it in of("sqs", "sns", "s3")]
    longer = [it | {"resource": it["resource"] + "0"} for it in of("sqs", "lambda")]
    longer += [it | {"resource": it["resource"].replace("table/", "table/x")} for it in of("dynamodb") if it["resource"] != "*"]
    longer += [it | {"resource": it["resource"].replace(f"-{REGION}/", f"-{REGION}0/")} for it in of("s3")]
    return {
        "without TLS on a queue, topic or bucket": plain,
        "a key without a service between": [bare(it) for it in of("kms")],
        "a key through another service": [bare(it, **{"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}) for it in of("kms")],
        "a name that only begins or ends like ours": longer,
    }


def other_actions(simulator: Simulator, cell: Cell) -> list[dict]:
    """What no function may do: delete, read evidence, lift a lock, tell the platform team, see people's keys."""
    names = sorted(it["FunctionName"] for _, it in cell.all("AWS::Lambda::Function"))
    table = next(arn for arn, _ in cell.all("AWS::DynamoDB::Table"))
    buckets = [arn for arn, _ in cell.all("AWS::S3::Bucket")]
    ops = f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:arm-{CELL}-ops"
    tried = [(action, f"{bucket}/evidence/x", ()) for bucket in buckets for action in
             ("s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectLegalHold")]
    tried += [(action, table, (("dynamodb:LeadingKeys", ("CASE#x",)),)) for action in ("dynamodb:DeleteItem", "dynamodb:Scan")]
    tried += [("dynamodb:PutItem", table, (("dynamodb:LeadingKeys", ("OTHER#x",)),)),
              ("dynamodb:DeleteTable", table, ()), ("sns:Publish", ops, ())]
    tried += [(action, arn, ()) for arn, _ in cell.all("AWS::KinesisVideo::Stream")[:1]
              for action in ("kinesisvideo:PutMedia", "kinesisvideo:DeleteStream", "kinesisvideo:GetHLSStreamingSessionURL")]
    # `dynamodb:Scan` names no partition.
    needs = [Need(role(cell, name), action, arn, () if action == "dynamodb:Scan" else context)
             for name in names for action, arn, context in tried]
    return [simulator.request(need) for need in needs]


def foreign_services(simulator: Simulator, needs: list[Need]) -> list[dict]:
    """AWS's services on behalf of others: another account, another cell's rules, topics, logs."""
    found = []
    for need in needs:
        context = dict(need.context)
        if "aws:SourceAccount" in context:
            theirs = {key: value.replace(ACCOUNT, "999999999999") for key, value in context.items()}
            found.append(Need(need.principal, need.action, need.resource, tuple(theirs.items()), need.source, need.unchecked))
        # Alarms are bound to the account alone: their names are chosen freely.
        by_cell = "aws:SourceArn" in context and not need.action.startswith("kms:") and need.principal != "cloudwatch.amazonaws.com"
        if by_cell or "kms:EncryptionContext:aws:logs:arn" in context:
            theirs = {key: value.replace(f"arm-{CELL}-", "arm-us-lab-") for key, value in context.items()}
            found.append(Need(need.principal, need.action, need.resource, tuple(theirs.items()), need.source, need.unchecked))
    return [simulator.request(need) for need in found]


def foreign_gateways(simulator: Simulator, needs: list[Need]) -> list[dict]:
    """Each gateway on the streams of stores whose ids are like its own."""
    found = []
    for need in needs:
        if not need.action.startswith("kinesisvideo:"):
            continue
        thing = dict(need.context)["credentials-iot:ThingName"]
        for other in (thing.replace("-gw", "0-gw"), thing.replace("-gw", "-gw0"), thing[: -len("1-gw")] + "-gw"):
            found.append(Need(need.principal, need.action, need.resource.replace(thing + "-", other + "-"), need.context, "", True))
    return [simulator.request(it) for it in found if thing_of(it.resource) != dict(it.context)["credentials-iot:ThingName"]]


def thing_of(stream: str) -> str:
    return stream.split("stream/")[1].split("-gw-")[0] + "-gw"


def foreign_trust(simulator: Simulator, cell: Cell) -> list[dict]:
    """Who may not become a role."""
    found = []
    for arn, it in cell.all("AWS::IAM::Role"):
        for service in ("ec2.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"):
            need = Need(service, "sts:AssumeRole", arn, (("aws:SourceAccount", ACCOUNT),))
            found.append(simulator.request(need, policy=it["AssumeRolePolicyDocument"]))
        trusted = it["AssumeRolePolicyDocument"]["Statement"][0]
        if "Condition" in trusted:
            need = Need(trusted["Principal"]["Service"], "sts:AssumeRole", arn, (("aws:SourceAccount", "999999999999"),))
            found.append(simulator.request(need, policy=it["AssumeRolePolicyDocument"]))
    return found


def by_role(needs: list[Need]) -> dict[str, list[Need]]:
    found: dict[str, list[Need]] = defaultdict(list)
    for need in dict.fromkeys(needs):
        found[need.principal.rsplit("/", 1)[1]].append(need)
    return found


def main(arm: str, node: str, modules: str, *paths: str) -> None:
    cell = generated(arm)
    simulator = Simulator(node, modules, cell)
    calls = recorded(cell, read(list(paths)))
    for function, needs in sorted(calls.items()):
        all_allowed(simulator, needs, f"what {function} called")
    aws_s, gateways, services = of_lambda(cell), of_gateways(cell), list(dict.fromkeys(of_services(cell)))
    all_allowed(simulator, list(dict.fromkeys(aws_s)), "what Lambda and Scheduler do with the roles")
    detector = of_detector(cell)
    all_allowed(simulator, detector, "what SageMaker does with the model's role")
    all_allowed(simulator, gateways, "what the gateways do, each on its own streams")
    all_allowed(simulator, services, "what rules, topics, alarms, logs and access logs do")

    mine = [need for needs in calls.values() for need in needs]
    none_unused(simulator, by_role(mine), by_role(aws_s + detector + gateways))

    everything = list(dict.fromkeys(mine + aws_s))
    for what, requests in (elsewhere(simulator, everything) | wrong_ways(simulator, everything)).items():
        all_refused(simulator, requests, what)
    all_refused(simulator, other_actions(simulator, cell), "what no function may do")
    all_refused(simulator, foreign_services(simulator, services), "services on behalf of others")
    all_refused(simulator, foreign_gateways(simulator, gateways), "gateways on streams of stores with ids like their own")
    all_refused(simulator, foreign_trust(simulator, cell), "becoming a role")


if __name__ == "__main__":
    if len(sys.argv) < 5 or "--help" in sys.argv:
        print(next(it for it in (__doc__ or "").splitlines() if it.startswith("Usage:")), file=sys.stderr)
        sys.exit(0 if "--help" in sys.argv else 2)
    if absent := [it for it in (sys.argv[1], *sys.argv[3:]) if not Path(it).exists()]:
        sys.exit(f"there is no {', '.join(absent)}")
    main(*sys.argv[1:])
