"""`docs/ci/comment` against an API of GitHub that this test plays: made once, then written again, and
nobody else's comment is ever touched.

Usage: comment.py, in the project's root; needs sh and curl, and nothing of the network.
"""

import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

MARKER = "<!-- arm diff -->"
BOT = "github-actions[bot]"
TOKEN = "a-token-that-nobody-prints"


def expect(is_right: bool, what: str, shown: object = "") -> None:
    if not is_right:
        sys.exit(f"FAILED: {what}: {shown}")


class Api:
    """The comments of one pull request, and every call that was made."""

    def __init__(self) -> None:
        self.comments: list[dict] = []
        self.calls: list[str] = []
        self.refused: set[str] = set()
        # Answers that are lost, by the method; what was asked is done.
        self.lost: dict[str, int] = {}
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer("GET")

            def do_POST(self) -> None:
                self.answer("POST")

            def do_PATCH(self) -> None:
                self.answer("PATCH")

            def answer(self, method: str) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                right = self.headers["Authorization"] == f"Bearer {TOKEN}"
                status, answer = api.call(method, self.path, body) if right else (401, {})
                if api.lost.get(method, 0) > 0:
                    api.lost[method] -= 1
                    status, answer = 503, {"message": "No server is currently available"}
                text = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, login: str, body: str) -> int:
        number = 1000 + len(self.comments)
        url = f"https://api.github.example/repos/example/stores/issues/comments/{number}"
        user = {"login": login, "id": 7, "url": f"https://api.github.example/users/{login}", "type": "User"}
        app = {"id": 15368, "owner": {"login": BOT, "url": url}}
        self.comments.append({"url": url, "id": number, "user": user, "body": body, "performed_via_github_app": app})
        return number

    def call(self, method: str, path: str, body: dict | None) -> tuple[int, object]:
        self.calls.append(f"{method} {path}")
        if method in self.refused:
            return 403, {"message": "Resource not accessible by integration"}
        if found := re.fullmatch(r"/repos/example/stores/issues/12/comments\?per_page=100&page=(\d+)", path):
            start = (int(found[1]) - 1) * 100
            return 200, self.comments[start : start + 100]
        if path == "/repos/example/stores/issues/12/comments" and method == "POST":
            self.add(BOT, body["body"])
            return 201, self.comments[-1]
        if found := re.fullmatch(r"/repos/example/stores/issues/comments/(\d+)", path):
            comment = self.comments[int(found[1]) - 1000]
            if method == "PATCH":
                comment["body"] = body["body"]
            return 200, comment
        return 404, {}


def comment(api: Api, text: str, **environment: str) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "arm-diff.md")
        file.write_text(text)
        known = {"PATH": os.environ["PATH"], "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "example/stores"}
        known |= {"ARM_PULL_REQUEST": "12", "GITHUB_API_URL": api.url} | environment
        command = ["sh", "docs/ci/comment", str(file)]
        done = subprocess.run(command, env=known, capture_output=True, text=True, check=False, timeout=60)
    expect(TOKEN not in done.stdout + done.stderr, "the token is printed", done)
    return done


def test_it_is_made_once_and_then_written_again() -> None:
    api = Api()
    odd = f'{MARKER}\n## A "quoted" \\ back\\nslash\ttab, é 日本 &amp; <b>\n\n```diff\n+ $HOME `x` %s\n```\n'
    done = comment(api, odd)
    expect((done.returncode, len(api.comments)) == (0, 1), "no comment is made", done)
    expect(api.comments[0]["body"] == odd, "the text arrives otherwise", api.comments[0]["body"])
    done = comment(api, f"{MARKER}\nsecond\n")
    expect((done.returncode, len(api.comments)) == (0, 1), "it is not written again", done)
    expect(api.comments[0]["body"] == f"{MARKER}\nsecond\n", "the second text is not there")
    large = f"{MARKER}\n" + "x" * 65_000 + "\n"
    comment(api, large)
    expect(api.comments[0]["body"] == large, "the longest comment does not arrive")


def test_nobody_else_s_comment_is_touched() -> None:
    api = Api()
    fake = json.dumps({"url": "https://a/issues/comments/1", "user": {"login": BOT}, "body": MARKER})
    others = [("mallory", f"{MARKER}\nnothing to see"), ("mallory", fake), (BOT, f"before {MARKER}"), ("mallory", fake.replace("\\", ""))]
    others += [(f"user-{it}", "fine") for it in range(130)]
    for login, body in others:
        api.add(login, body)
    before = [it["body"] for it in api.comments]
    done = comment(api, f"{MARKER}\nours\n")
    expect(done.returncode == 0 and len(api.comments) == len(others) + 1, "ours is not made", done)
    done = comment(api, f"{MARKER}\nours, again\n")
    expect(len(api.comments) == len(others) + 1, "ours on the second page is not found", done)
    expect([it["body"] for it in api.comments[:-1]] == before, "another comment is touched")
    expect(api.comments[-1]["body"] == f"{MARKER}\nours, again\n", "ours is not written again")


def test_what_cannot_be_is_refused() -> None:
    api = Api()
    right = f"{MARKER}\nours\n"
    for changed in [{"ARM_PULL_REQUEST": "12/../13"}, {"GITHUB_REPOSITORY": "a/b/c"}, {"GITHUB_REPOSITORY": "a b/c"}, {"ARM_COMMENT_AUTHOR": 'x" y'}]:
        done = comment(api, right, **changed)
        expect(done.returncode == 3 and not api.calls, f"{changed} is taken", done)
    for text in ["", "without marker\n"]:
        expect(comment(api, text).returncode == 3 and not api.calls, f"{text!r} is taken")
    api.refused.add("POST")
    done = comment(api, right)
    expect(done.returncode == 3 and "pull-requests: write" in done.stderr, "a refusal is not told", done)
    done = comment(api, right, GITHUB_TOKEN="another")
    expect(done.returncode == 3 and "401" in done.stderr, "a wrong token is not told", done)


def test_what_may_be_done_twice_is_tried_again_and_nothing_else() -> None:
    api = Api()
    api.lost = {"GET": 1, "POST": 1}
    done = comment(api, f"{MARKER}\nours\n")
    posts = sum(it.startswith("POST") for it in api.calls)
    expect(done.returncode == 3 and "503" in done.stderr, "a lost answer is not told", done)
    expect((posts, len(api.comments)) == (1, 1), "a comment is made twice", api.calls)
    expect(sum(it.startswith("GET") for it in api.calls) == 2, "a lost page is not asked for again", api.calls)
    api.lost = {"PATCH": 1}
    done = comment(api, f"{MARKER}\nours, again\n")
    expect((done.returncode, len(api.comments)) == (0, 1), "a lost answer to PATCH ends it", done)
    expect(sum(it.startswith("PATCH") for it in api.calls) == 2, "PATCH is not tried again", api.calls)


def main() -> None:
    tests = [it for name, it in globals().items() if name.startswith("test_")]
    for test in tests:
        test()
    print(f"comments on pull requests: {len(tests)} tests passed")


main()
