"""The whole path in one process tree: start, ingest, ten questions, the page in Chromium, shutdown.

Run by `test_nothing_leaves` inside a network namespace. Arguments: instance file, trace file. Chromium itself is not traced
(it is not ours); what its page asks for is checked request by request.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from assistant.client import ServiceClient
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.instances import RunningInstance, running_instance
from tests.system.tracing import trace_command
from tests.worlds import DEMO, child_environment


def main(file: Path, trace: Path) -> None:
    """Walk the path and print what was seen as one JSON object."""
    questions = [json.loads(line) for line in (DEMO / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    spread = questions[:: len(questions) // 10][:10]
    environment = child_environment()
    environment.pop("CI", None)
    with running_instance(file, prefix=trace_command(trace), environment=environment) as instance:
        with ServiceClient(instance.url, token=instance.token) as client:
            counts = client.documents()["counts"]
            outcomes = [client.ask(question["question"])["outcome"] for question in spread]
        title, requested = _seen_in_chromium(instance, spread[0]["question"])
    foreign = [url for url in requested if not url.startswith((instance.url, "data:", "blob:"))]
    result = {"counts": counts, "outcomes": outcomes, "title": title, "requests": len(requested), "foreign": foreign}
    sys.stdout.write(json.dumps(result) + "\n")


def _seen_in_chromium(instance: RunningInstance, question: str) -> tuple[str, list[str]]:
    """The page's title and every address it asked for while a reader asks a question and opens a source."""
    requested: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        page = chromium.new_page()
        page.on("request", lambda request: requested.append(request.url))
        page.goto(instance.enter_url)
        page.fill("#question", question)
        page.keyboard.press("Enter")
        page.wait_for_selector(".answer-tools, .abstention")
        title = page.title()
        chromium.close()
    return title, requested


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
