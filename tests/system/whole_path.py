"""The whole path in one process tree: start, ingest, ten questions, the page in Chromium, shutdown.

Run by `test_nothing_leaves` inside a network namespace. Arguments: instance file, trace file. Chromium itself is not traced
(it is not ours); what its page asks for is checked request by request.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.browser.chromium import browser_page

from assistant.client import ServiceClient
from tests.instances import running_instance
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
        requested: list[str] = []
        with browser_page() as page:
            page.on("request", lambda request: requested.append(request.url))
            page.goto(instance.enter_url, wait_until="load")
            page.wait_for_timeout(8000)
            title = page.title()
    foreign = [url for url in requested if not url.startswith((instance.url, "data:", "blob:"))]
    result = {"counts": counts, "outcomes": outcomes, "title": title, "requests": len(requested), "foreign": foreign}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
