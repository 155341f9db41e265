"""What `arm diff` knows of resource types, against the official schemas that cfn-lint ships.

Usage: PYTHON tests/resource_types.py ARM [--write]     (PYTHON is one that has cfn-lint)

Makes the whole table `generator/src/change/resource_types.json` from the schemas and from what stands
here, and fails where the committed one says otherwise; `--write` writes it instead. Every type that is
in a blueprint, or in a template of the example stores, must be in it, and every region must agree.
"""

import json
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import cfnlint

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "generator/src/change/resource_types.json"
REGIONS = ROOT / "generator/src/validate/region.rs"
SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"
HOME = "us-east-1"

# Types that no blueprint emits, but that templates of others, or ours of another time, may hold.
NEIGHBOURS = [
    "AWS::Athena::NamedQuery",
    "AWS::CloudFormation::Stack",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::DynamoDB::GlobalTable",
    "AWS::Events::Archive",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IoT::TopicRule",
    "AWS::KMS::ReplicaKey",
    "AWS::Kinesis::Stream",
    "AWS::KinesisVideo::SignalingChannel",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::SubscriptionFilter",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::Secret",
    "AWS::SSM::Parameter",
    "AWS::StepFunctions::StateMachine",
]
# By which properties AWS tells two of them apart, the name last, where the schema's own identifier is
# one that AWS gives out: two of the same cannot be, so a replacement that keeps them fails.
IDENTITY = {
    "AWS::Athena::NamedQuery": [],
    "AWS::ApplicationAutoScaling::ScalingPolicy": ["ServiceNamespace", "ScalableDimension", "ResourceId", "PolicyName"],
    "AWS::CloudFormation::Stack": [],
    "AWS::Events::Rule": ["EventBusName", "Name"],
    # The name stands in the input; `Name` beside it is for tables in an open format.
    "AWS::Glue::Table": ["CatalogId", "DatabaseName", "TableInput/Name"],
    "AWS::IAM::ManagedPolicy": ["ManagedPolicyName"],
    "AWS::IAM::Policy": [],
    "AWS::IoT::Policy": ["PolicyName"],
    "AWS::KMS::Key": [],
    "AWS::KMS::ReplicaKey": [],
    "AWS::Lambda::Alias": ["FunctionName", "Name"],
    "AWS::Lambda::EventSourceMapping": ["EventSourceArn", "FunctionName"],
    "AWS::Lambda::Permission": [],
    "AWS::Lambda::Version": [],
    "AWS::SNS::Subscription": [],
    "AWS::SNS::Topic": ["TopicName"],
    "AWS::SNS::TopicPolicy": [],
    "AWS::SQS::Queue": ["QueueName"],
    "AWS::SQS::QueuePolicy": [],
    "AWS::SageMaker::Endpoint": ["EndpointName"],
    "AWS::SageMaker::EndpointConfig": ["EndpointConfigName"],
    "AWS::SageMaker::Model": ["ModelName"],
    "AWS::SecretsManager::Secret": ["Name"],
    "AWS::StepFunctions::StateMachine": ["StateMachineName"],
}


def expect(holds: bool, message: str) -> None:
    if not holds:
        sys.exit(f"FAILED: {message}")


def schema(region: str, name: str) -> dict | None:
    """The schema of a type in a region; None where the region does not have it."""
    digest = json.loads((SCHEMAS / f"providers/{region}.json").read_text(encoding="utf-8")).get(name)
    return digest and json.loads((SCHEMAS / f"resources/{digest}.json").read_text(encoding="utf-8"))


def pointers(schema: dict, key: str) -> list[str]:
    return sorted(it.removeprefix("/properties/") for it in schema.get(key, []))


def identity(name: str, schema: dict) -> list[str]:
    if schema.get("replacementStrategy") == "delete_then_create":
        return []
    if name in IDENTITY:
        return IDENTITY[name]
    own = [it.removeprefix("/properties/") for it in schema["primaryIdentifier"]]
    given_out = pointers(schema, "readOnlyProperties")
    expect(not set(own) & set(given_out), f"{name}: AWS gives out its identifier {own}: say in IDENTITY what a person sets")
    return own


def row(name: str, schema: dict) -> dict:
    row = {
        "identity": identity(name, schema),
        "create_only": pointers(schema, "createOnlyProperties"),
        "conditional": pointers(schema, "conditionalCreateOnlyProperties"),
        "read_only": pointers(schema, "readOnlyProperties"),
    }
    for pointer in row["identity"]:
        expect(pointer.split("/")[0] in schema["properties"], f"{name} has no property {pointer}")
    return row


def emitted(arm: str) -> set[str]:
    """The types of every blueprint and of every template of the example stores."""
    texts = [it.read_text(encoding="utf-8") for it in (ROOT / "blueprints").rglob("*.j2")]
    found = set(re.findall(r"^ +Type: (AWS::\w+::\w+)$", "\n".join(texts), re.MULTILINE))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([arm, "generate", "--out", folder], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        for path in Path(folder).rglob("*.json"):
            resources = json.loads(path.read_text(encoding="utf-8")).get("Resources", {})
            found |= {it["Type"] for it in resources.values()}
    return found


def text(table: dict) -> str:
    """One line a type, so that a change of one is a line of a diff."""
    rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(it)}" for name, it in table["types"].items())
    return f'{{\n  "source": {json.dumps(table["source"])},\n  "types": {{\n{rows}\n  }}\n}}\n'


def main(arm: str, *options: str) -> int:
    ours = emitted(arm)
    expect(len(ours) > 20, f"only {len(ours)} types were found in what we emit")
    expect(not ours & set(NEIGHBOURS), f"no neighbours any more, as we emit them: {ours & set(NEIGHBOURS)}")
    types = {}
    for name in sorted(ours | set(NEIGHBOURS)):
        found = schema(HOME, name)
        expect(found is not None, f"cfn-lint has no schema of {name}")
        types[name] = row(name, found)
    expect(not set(IDENTITY) - set(types), f"in IDENTITY and not in the table: {set(IDENTITY) - set(types)}")
    regions = re.findall(r'^    "([a-z0-9-]+)",$', REGIONS.read_text(encoding="utf-8"), re.MULTILINE)
    expect(HOME in regions, "the regions that `arm check` takes were not found")
    for region in regions:
        for name, ours in types.items():
            theirs = schema(region, name)
            same = theirs is None or row(name, theirs) == ours
            expect(same, f"{name} is another in {region}: {theirs and row(name, theirs)}, and not {ours}")
    source = f"CloudFormation registry resource schemas, as cfn-lint {version('cfn-lint')} ships them; tests/resource_types.py"
    made = text({"source": source, "types": types})
    if options == ("--write",):
        TABLE.write_text(made, encoding="utf-8")
    committed = TABLE.read_text(encoding="utf-8")
    wrong = [ours for ours, theirs in zip(committed.splitlines(), made.splitlines()) if ours != theirs]
    expect(committed == made, "\n  ".join(["not as the schemas have it (--write makes it so):", *wrong]))
    pinned = sum(len(it["create_only"]) + len(it["conditional"]) for it in types.values())
    print(f"{len(types)} resource types as in the schemas of {len(regions)} regions; {pinned} properties that replace or may")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
