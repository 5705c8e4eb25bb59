"""Composed answers through the running service, against the same words from the bare endpoint.

Each reader asks for a canary of its own, which stands in one document of its own. The scripted model reads the prompt, says
what the passage with that canary says, sentence by sentence with its number, at 30 tokens a second. How late a sentence is counts
from when the server sent its last token.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from assistant.client import ServiceClient, Upload
from assistant.errors import AssistantError
from tests.benchmarks.figures import Figures
from tests.benchmarks.model_overhead import PER_SECOND, READERS, Peak
from tests.endpoint_server import MODEL, Abilities, Body, EndpointServer, Script, answer, last_user_message, tokens_of
from tests.instances import RunningInstance, running_instance
from tests.worlds import instance_file

ROUNDS = 2
_PASSAGE = re.compile(r"^=+\w+=+ \[(\d+)\]\n(.*?)(?=^=+\w+=+)", re.MULTILINE | re.DOTALL)
_CANARY = re.compile(r"canari-\d{5}")


def sentences_of(canary: str) -> list[str]:
    """What the document of this canary says; the first sentence answers the question."""
    number = int(canary[-5:])
    return [
        f"Le dossier {canary} est complet depuis le {1 + number % 28} mars 2024.",
        f"La commune a déposé le dossier {canary} auprès de la direction des finances, au guichet numéro {2 + number % 7}.",
        "Le service instructeur dispose de dix jours ouvrés pour examiner les pièces et demander celles qui manquent.",
        "La décision est envoyée par courrier au demandeur, avec les voies et les délais de recours.",
        "Le demandeur peut retirer sa demande à tout moment avant la décision, par une lettre adressée au guichet.",
        "Les pièces originales sont rendues au demandeur dans un délai de trente jours après la décision.",
    ]


@dataclass(frozen=True)
class Answered:
    """One answer: its first sentence, after the question and after its last token; how long it took; was it the right one."""

    first_s: float
    late_s: float
    total_s: float
    right: bool
    composed: bool
    failed: bool = False


def model_service_figures() -> Figures:
    """Bare and through the service, for each number of readers."""
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, EndpointServer(_script, Abilities(max_model_len=32_768)) as server:
        file = instance_file(Path(folder), extra=_endpoint(server.url))
        with running_instance(file) as instance:
            _fill(instance, Path(folder) / "in")
            _measured(server, instance, 1)
            server.seen.clear()
            for readers in READERS:
                rows[f"{readers} readers"] = _measured(server, instance, readers) | {"bare_s": _bare_s(server)}
                rows[f"{readers} readers"]["longer_%"] = 100 * (
                    rows[f"{readers} readers"]["total_p50_s"] / rows[f"{readers} readers"]["bare_s"] - 1
                )
    return {f"Through the service, scripted model at {PER_SECOND:.0f} tokens a second": rows}


def _endpoint(url: str) -> str:
    return (
        f'[[models.endpoints]]\nname = "scripted"\nurl = "{url}"\nmodel = "{MODEL}"\nclearance = "secret"\n'
        f"context_tokens = 32768\nconcurrency = {max(READERS)}\n"
    )


def _script(body: Body) -> Script:
    """The sentences of the passage that holds the canary which is asked for last."""
    prompt = last_user_message(body)
    canary = _CANARY.findall(prompt)[-1]
    number = next((number for number, text in _PASSAGE.findall(prompt) if canary in text), "1")
    return answer(_said(canary, number), per_second=PER_SECOND)


def _said(canary: str, number: str) -> str:
    return " ".join(f"{sentence.removesuffix('.')} [{number}]." for sentence in sentences_of(canary))


def _bare_s(server: EndpointServer) -> float:
    """Seconds of the same words without the service, one reader alone."""
    body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "canari-00001"}]}
    began = time.monotonic()
    response = httpx.post(f"{server.url}/chat/completions", json=body, timeout=60, trust_env=False)
    assert response.text.endswith("[DONE]\n\n")
    return time.monotonic() - began


def _fill(instance: RunningInstance, folder: Path) -> None:
    folder.mkdir()
    with ServiceClient(instance.url, token=instance.token) as client:
        client.hand_in(list(_documents(folder)))
        while (counts := client.documents()["counts"])["received"] or counts["in progress"]:
            time.sleep(0.5)


def _documents(folder: Path) -> Iterator[Upload]:
    for number in range(max(READERS)):
        canary = f"canari-{number:05d}"
        file = folder / f"{canary}.txt"
        file.write_text("\n".join(sentences_of(canary)), encoding="utf-8")
        yield Upload(file, f"/bench/{file.name}")


def _measured(server: EndpointServer, instance: RunningInstance, readers: int) -> dict[str, float]:
    def memory() -> float:
        status = Path(f"/proc/{instance.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024

    before, peak, together = memory(), Peak(memory), threading.Barrier(readers)
    used = _cpu_s(instance)

    def one(number: int) -> list[Answered]:
        together.wait()
        return [_answered(server, instance, f"canari-{number:05d}") for _ in range(ROUNDS)]

    with peak, ThreadPoolExecutor(readers) as pool:
        answers = [answered for own in pool.map(one, range(readers)) for answered in own]
    done = [one for one in answers if not one.failed]
    times = {
        "late": [one.late_s for one in done],
        "first": [one.first_s for one in done],
        "total": [one.total_s for one in done],
    }
    return {
        **{
            f"{name}_p{share}_s": float(np.percentile(values or [0.0], share))
            for name, values in times.items()
            for share in (50, 95, 99)
        },
        "errors": float(len(answers) - len(done)),
        "wrong": float(sum(not one.right for one in done)),
        "quoted": float(sum(not one.composed for one in done)),
        "MiB_a_reader": max(0.0, peak.highest - before) / readers,
        "cpu_s_an_answer": (_cpu_s(instance) - used) / len(answers),
    }


def _cpu_s(instance: RunningInstance) -> float:
    """Seconds of processor that the service has used."""
    fields = Path(f"/proc/{instance.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answered(server: EndpointServer, instance: RunningInstance, canary: str) -> Answered:
    began, first, text, model = time.monotonic(), 0.0, "", ""
    try:
        with ServiceClient(instance.url, token=instance.token) as client:
            for name, content in client.answer_events(f"Depuis quand le dossier {canary} est-il complet ?"):
                if name == "sentence":
                    first = first or time.monotonic()
                    text += content["sentence"]["text"]
                elif name == "answer":
                    model = content["model"]
    except (AssistantError, httpx.HTTPError):
        return Answered(0, 0, 0, right=False, composed=False, failed=True)
    total_s = time.monotonic() - began
    right = sentences_of(canary)[0].removesuffix(".") in text and set(_CANARY.findall(text)) == {canary}
    return Answered(first - began, first - _sent_at(server, canary), total_s, right=right, composed=model == MODEL)


def _sent_at(server: EndpointServer, canary: str) -> float:
    """When the last token of the first sentence went out, in the newest request for this canary."""
    seen = next(one for one in reversed(server.seen) if _CANARY.findall(last_user_message(one.body))[-1:] == [canary])
    tokens = len(tokens_of(_said(canary, "1").partition("]. ")[0] + "]."))
    return seen.sent[tokens]  # the first is the role
