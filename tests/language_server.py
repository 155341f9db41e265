"""What an editor shows while somebody writes a store, asked of the real yaml-language-server.

Usage: language_server.py NODE SERVER, in the project's root. Speaks LSP over stdio, on the example
stores with changes that stay in memory; each file's first line leads the server to its schema.
"""

import json
import pathlib
import queue
import subprocess
import sys
import threading

# Seconds for one answer. Our choice: a busy machine with two cores needs less than five.
ANSWER_SECONDS = 60
STORE = pathlib.Path("stores/tacoma-012.yaml").resolve()
SETTINGS = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
CAPABILITIES = {
    "workspace": {"configuration": True},
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]},
    },
}


class Server:
    """A language server that is asked one thing at a time."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.messages = queue.Queue()
        self.number = 0
        threading.Thread(target=self.read, daemon=True).start()
        root = pathlib.Path.cwd().as_uri()
        self.ask("initialize", processId=None, rootUri=root, capabilities=CAPABILITIES)
        self.send(method="initialized", params={})

    def read(self):
        while header := self.process.stdout.readline():
            length = 0
            while header.strip():
                name, _, value = header.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
                header = self.process.stdout.readline()
            self.messages.put(json.loads(self.process.stdout.read(length)))

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def wait(self, wanted):
        """The first message that is wanted; what the server asks on the way is answered."""
        while True:
            message = self.messages.get(timeout=ANSWER_SECONDS)
            if wanted(message):
                return message
            if "id" in message and "method" in message:
                items = message.get("params", {}).get("items", [])
                answer = [SETTINGS if it.get("section") == "yaml" else {} for it in items]
                self.send(id=message["id"], result=answer or None)

    def ask(self, method, **params):
        self.number += 1
        number = self.number
        self.send(id=number, method=method, params=params)
        answer = self.wait(lambda it: it.get("id") == number and "method" not in it)
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']}")
        return answer["result"]

    def told(self, path, text):
        """What the server says is wrong with a file of this text: line and message of each."""
        uri = path.as_uri()
        self.number += 1
        document = {"uri": uri, "languageId": "yaml", "version": self.number, "text": text}
        self.send(method="textDocument/didOpen", params={"textDocument": document})
        said = self.wait(
            lambda it: it.get("method") == "textDocument/publishDiagnostics"
            and it["params"]["uri"] == uri
        )
        return [(it["range"]["start"]["line"] + 1, it["message"]) for it in said["params"]["diagnostics"]]

    def at(self, method, text, mark="^"):
        """Asks about the place of the mark in a text of the example store."""
        before, _, after = text.partition(mark)
        self.told(STORE, before + after)
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return self.ask(method, textDocument={"uri": STORE.as_uri()}, position=place)

    def completed(self, text):
        """What is offered at the mark, with what is said of each."""
        answer = self.at("textDocument/completion", text)
        items = answer if isinstance(answer, list) else answer["items"]
        says = lambda it: it.get("documentation") or ""
        plain = lambda it: it["value"] if isinstance(it, dict) else it
        return {item["label"]: plain(says(item)) for item in items}

    def hover(self, text):
        answer = self.at("textDocument/hover", text)
        return answer["contents"]["value"] if answer else ""


def changed(old, new):
    """The example store with one stretch replaced, and its line."""
    text = STORE.read_text()
    if text.count(old) < 1:
        sys.exit(f"{STORE.name} has no `{old}` any more; mend this test")
    return text.replace(old, new, 1), text[: text.index(old)].count("\n") + 1


def expect(holds, what, seen):
    if not holds:
        sys.exit(f"FAILED: {what}; seen: {seen}")
    print(f"  ok  {what}")


def check_examples(server):
    for path in sorted(STORE.parent.glob("*.yaml")):
        told = server.told(path, path.read_text())
        expect(told == [], f"{path.name} has no problem", told)


MISTAKES = [
    ("retention: 72h", "retentoin: 72h", "Property retentoin is not allowed."),
    ("id: counter-a, ", "", 'Missing property "id".'),
    ("name: Tacoma Sixth Avenue\n", "", 'Missing property "name".'),
    ("priority: critical", "priority: urgent", 'Valid values: "low", "medium", "high", "critical".'),
    ("retention: 72h", "retention: 72", "time from `1h` to `3650d`, in whole hours, such as `24h`"),
    ("retention: 72h", "retention: 9999d", "time from `1h` to `3650d`"),
    ("cooldown: 2m", "cooldown: 1w", "time from `1s` to `1d`"),
    ("id: counter-a", "id: Counter_A", "lower-case letters, digits and single hyphens"),
    ("name: Tacoma Sixth Avenue", "name: [Tacoma]", "1 to 64 characters"),
    ("00:00-24:00", "7am-11pm", "`07:00-23:00`, a list of such spans, or `closed`"),
    ("area: [0.05, 0.1, 0.4, 0.5]", "area: [5, 10, 40, 50]", "is above the maximum of 1"),
    ("email: lp-tacoma@example.com", 'email: lp@example.com, sms: "ssm:/lp"', "has one of: email, sms, https, push"),
    ("email: lp-tacoma@example.com", "emial: lp@example.com", "Property emial is not allowed."),
]


def check_mistakes(server):
    for old, new, message in MISTAKES:
        text, line = changed(old, new)
        told = server.told(STORE, text)
        # A key that is not there is told where its mapping begins.
        lines = {1, 3} if old.startswith("name") and not new else {line}
        found = [it for it in told if it[0] in lines and message in it[1]]
        expect(found, f"line {line}, `{new or 'nothing'}` for `{old.strip()}`: {message}", told)


KEYS_OF_A_CAMERA = {"id", "aisle", "rtsp", "retention", "bitrate", "watch", "zones"}
COMPLETIONS = [
    ("a new camera", "  - { id: counter-a", "  - ^\n  - { id: counter-a", KEYS_OF_A_CAMERA | {"camera"}),
    ("a camera in a block", "    aisle: aisle-2\n", "    aisle: aisle-2\n    ^\n", {"rtsp", "retention", "bitrate", "watch"}),
    ("a camera in braces", "aisle: counter, retention", "aisle: counter, ^retention", {"rtsp", "retention", "bitrate", "watch", "zones"}),
    ("`priority: `", "priority: critical", "priority: ^", {"low", "medium", "high", "critical"}),
    ("`when: `", "when: never", "when: ^never", {"always", "open", "closed", "never"}),
    ("a new rule", "  - name: razors", "  - ^\n  - name: razors", {"rule", "name", "when", "priority", "notify", "cooldown", "shadow"}),
    ("the top level", "hours: {", "^\nhours: {", {"cell", "format", "timezone", "labels", "uplink", "camera", "cooldown", "evidence", "allow"}),
]


def check_completion(server):
    for what, old, new, wanted in COMPLETIONS:
        offered = server.completed(changed(old, new)[0])
        expect(wanted <= set(offered), f"{what} is offered {', '.join(sorted(wanted))}", offered)
        bare = [it for it in wanted if not offered[it]]
        expect(not bare, f"{what}: each has a text", bare)
    # A file that has nothing yet is offered what it must have.
    head = STORE.read_text().splitlines()[0]
    offered = server.completed(f"{head}\n^")
    needed = {"store", "name", "aisles", "cameras"}
    expect(needed <= set(offered), f"a new file is offered {', '.join(sorted(needed))}", offered)


HOVERS = [
    ("retention", "How long the video stream keeps video."),
    ("retention", "default: inherited, or `24h`"),
    ("priority", "How soon people must look."),
    ("critical", "`critical`: now, and before anything else"),
    ("never", "at no time: video is kept, and nothing is detected"),
    ("cameras:", "Its cameras; at most 400."),
    ("2026-12-25", "a list of such spans, or `closed`"),
]


def check_hover(server):
    for word, text in HOVERS:
        seen = server.hover(changed(word, f"{word[0]}^{word[1:]}")[0])
        expect(text in seen, f"over `{word}`: {text}", seen)


def main():
    node, program = sys.argv[1:]
    server = Server([node, program, "--stdio"])
    try:
        check_examples(server)
        check_mistakes(server)
        check_completion(server)
        check_hover(server)
    finally:
        server.process.kill()
    print("yaml-language-server: marks, completion and help are as they should be")


main()
