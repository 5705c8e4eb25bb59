"""A typed client of the service's HTTP interface; the command line and the page use it.

Errors that the service reports come back as the error class they were raised as.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any

import httpx

from assistant import errors
from assistant.errors import AssistantError, ServiceUnavailable

Json = dict[str, Any]

_FILES_A_REQUEST = 16
_LISTED_A_REQUEST = 1000
_FOLLOWING_S = 0.2
"""Between two questions about work that goes on."""
ANNOUNCEMENT = "service.json"
"""The file in the data folder in which a running service says where it can be reached."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to hand in: where it lies, what it is called, and its sidecar if it has one."""

    path: Path
    source: str
    sidecar: Path | bytes | None = None
    """The sidecar's file, or its text in UTF-8."""


class ServiceClient:
    """One reader's view of one service. `token` is the local key or a session token.

    `is_lasting` is False for a service that ends with the command that started it.
    """

    def __init__(self, url: str, *, token: str, timeout_s: float = 120.0, is_lasting: bool = True) -> None:
        self.url = url.rstrip("/")
        self.is_lasting = is_lasting
        self._http = httpx.Client(
            base_url=f"{self.url}/v1",
            headers={"authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(timeout_s, connect=5.0),
            trust_env=False,  # a proxy from the environment would be a way out
        )

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def is_up(self) -> bool:
        """True when the service answers."""
        try:
            return self._http.get("/health", timeout=2.0).status_code == 200
        except httpx.HTTPError:
            return False

    def instance(self) -> Json:
        """What the instance is and can do for this reader."""
        return self._json("GET", "/instance")

    def ask(self, question: str, *, language: str | None = None, scope: Json | None = None) -> Json:
        """The finished answer, from the documents in `scope` (`Scope.to_json`) alone."""
        body = {"question": question, "language": language, "scope": scope}
        return self._json("POST", "/answers", json=body, headers={"accept": "application/json"})

    def answer_events(
        self, question: str, *, language: str | None = None, scope: Json | None = None
    ) -> Iterator[tuple[str, Json]]:
        """(event name, body) as the answer comes in: `evidence`, `sentence`…, `answer`; raises what `error` carries."""
        body = {"question": question, "language": language, "scope": scope}
        with _translated(), self._http.stream("POST", "/answers", json=body) as response:
            if response.status_code >= 400:
                response.read()
                raise _error_from(response)
            name = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    data = json.loads(line.removeprefix("data: "))
                    if name == "error":
                        raise _error_named(data["type"], data["message"])
                    yield name, data

    def search(self, query: str, *, k: int = 10, route: str = "hybrid", scope: Json | None = None) -> Json:
        """The best passages for a query, of the documents in `scope` (`Scope.to_json`) alone."""
        params: Json = {"q": query, "k": k, "route": route, **({"scope": json.dumps(scope)} if scope else {})}
        return self._json("GET", "/search", params=params)

    def scope_choices(self) -> Json:
        """`{"collections": […], "document_types": […], "dates": {"from": …, "to": …}}` of what this reader may read."""
        return self._json("GET", "/scope")

    def documents(self, *, state: str | None = None, q: str = "") -> Json:
        """`{"documents": […], "counts": {…}, "total": n}`, newest first: all of them, however many pages that takes."""
        params: Json = {"q": q, "limit": _LISTED_A_REQUEST, **({"state": state} if state else {})}
        listing = self._json("GET", "/documents", params=params)
        found = {document["document_id"]: document for document in listing["documents"]}
        while len(found) < listing["total"]:
            more = self._json("GET", "/documents", params={**params, "offset": len(found)})["documents"]
            new = {document["document_id"]: document for document in more}
            if new.keys() <= found.keys():
                break  # some were removed meanwhile
            found |= new
        return {**listing, "documents": list(found.values())}

    def document(self, document_id: str) -> Json:
        """Where one document stands."""
        return self._json("GET", f"/documents/{document_id}")

    def hand_in(self, uploads: Sequence[Upload], *, label: str | None = None) -> Json:
        """Hand in files, some at a time; the bytes of all of them are safe when this returns.

        The reply is `{"documents": […], "counts": {…}, "refused": […]}`, documents in the order given. One of many files that is
        refused, or cannot be read, keeps no other back; it is in `refused` with `source` and `reason`. A single one raises.
        """
        documents: list[Json] = []
        refused: list[Json] = []
        counts: Json = {}
        for start in range(0, len(uploads), _FILES_A_REQUEST):
            batch = uploads[start : start + _FILES_A_REQUEST]
            try:
                replies = [self._hand_in_some(batch, label)]
            except (AssistantError, OSError) as error:
                if isinstance(error, ServiceUnavailable) or len(uploads) == 1:
                    raise
                replies = list(self._one_by_one(batch, label, refused))
            for reply in replies:
                documents.extend(reply["documents"])
                counts = reply["counts"]
        return {"documents": documents, "counts": counts, "refused": refused}

    def _one_by_one(self, uploads: Sequence[Upload], label: str | None, refused: list[Json]) -> Iterator[Json]:
        for upload in uploads:
            try:
                yield self._hand_in_some([upload], label)
            except ServiceUnavailable:
                raise
            except OSError as error:
                refused.append({"source": upload.source, "reason": f"cannot be read: {error.strerror}"})
            except AssistantError as error:
                refused.append({"source": upload.source, "reason": str(error)})

    def _hand_in_some(self, uploads: Sequence[Upload], label: str | None) -> Json:
        with ExitStack() as stack:
            parts: list[tuple[str, tuple[str, IO[bytes] | bytes]]] = [
                ("files", (PurePath(upload.source).name or "unnamed", stack.enter_context(upload.path.open("rb"))))
                for upload in uploads
            ]
            parts += [
                ("sidecars", (f"{upload.source}.toml", _opened(upload.sidecar, stack)))
                for upload in uploads
                if upload.sidecar
            ]
            fields: dict[str, Any] = {"sources": [upload.source for upload in uploads]}
            if label:
                fields["label"] = label
            return self._json("POST", "/documents", files=parts, data=fields)

    def read_manifest(self, name: str, content: bytes) -> Json:
        """`{"files": {path: sidecar text}}`; null instead of the object when it is no manifest."""
        return self._json("POST", "/documents/manifest", files={"manifest": (name, content)})

    def hand_in_bytes(self, files: Sequence[tuple[str, bytes]], *, label: str | None = None) -> Json:
        """Hand in (file name, bytes) pairs, as a browser uploads them."""
        parts = [("files", (name, content)) for name, content in files]
        fields: dict[str, Any] = {"sources": [name for name, _ in files], **({"label": label} if label else {})}
        return self._json("POST", "/documents", files=parts, data=fields)

    def remove(self, document_id: str, *, with_attachments: bool = False) -> Json:
        """Erase a document everywhere; the receipt of it."""
        return self._json("DELETE", f"/documents/{document_id}", params={"with_attachments": with_attachments})

    def receipts(self, search: str = "") -> list[Json]:
        """Every erasure receipt, newest first; with `search`, those whose ids, checksums, day or name hold it."""
        receipts: list[Json] = self._json("GET", "/receipts", params={"q": search})["receipts"]
        return receipts

    def receipt(self, receipt_id: str) -> Json:
        """One erasure receipt."""
        return self._json("GET", f"/receipts/{receipt_id}")

    def verify_receipt(self, content: bytes) -> Json:
        """`{"valid": …, "reason": …, "receipt": {…}}` of a receipt's file; `receipt` is null unless it is genuine."""
        return self._json("POST", "/receipts/verify/file", files={"file": ("receipt.json", content)})

    def verify_documents(self, *, mend: bool = True) -> Json:
        """What checking ledger, index and archive against each other found, and what was mended. Waits for it, however long.

        Raises Conflict while another check goes on, ServiceUnavailable when it broke off.
        """
        check: Json = self._json("POST", "/documents/verify", params={"mend": mend})["verification"]
        begun = check["started_at"]
        while not check["finished_at"]:
            time.sleep(_FOLLOWING_S)
            check = self._json("GET", "/documents/verify")["verification"] or {"started_at": ""}
            if check["started_at"] != begun:
                raise ServiceUnavailable("the service stopped before the check was done; ask for it again")
        if check["report"] is None:
            raise ServiceUnavailable(f"the check broke off: {check['problem']}")
        report: Json = check["report"]
        return report

    def retry(self, document_id: str, *, password: str | None = None) -> Json:
        """Put a quarantined or rejected document back in the queue."""
        return self._json("POST", f"/documents/{document_id}/retry", json={"password": password})

    def edit(self, document_id: str, changes: dict[str, str]) -> Json:
        """Change what is said about a document: title, date, author, language, document_type, collection, label, source."""
        return self._json("PATCH", f"/documents/{document_id}", json=changes)

    def correct_page(self, document_id: str, number: int, text: str) -> Json:
        """Put `text` in the place of what was read on a page (1-based)."""
        return self._json("PUT", f"/documents/{document_id}/pages/{number}/text", json={"text": text})

    def history(self, document_id: str) -> Json:
        """`{"events": […], "versions": […]}`, oldest first."""
        return self._json("GET", f"/documents/{document_id}/history")

    def hold(self, document_id: str, reason: str) -> Json:
        """Keep a document from being erased."""
        return self._json("PUT", f"/documents/{document_id}/hold", json={"reason": reason})

    def release(self, document_id: str) -> Json:
        """End a hold."""
        return self._json("DELETE", f"/documents/{document_id}/hold")

    def holds(self) -> list[Json]:
        """Every document on hold, with who held it and since when."""
        holds: list[Json] = self._json("GET", "/documents/holds")["holds"]
        return holds

    def retention(self, *, apply: bool = False, only: Sequence[str] | None = None) -> Json:
        """`{"due": […], "erased": […], "rules": […]}`; nothing is erased unless `apply`, and of that only what `only` names."""
        if not apply:
            return self._json("GET", "/documents/retention")
        body = None if only is None else {"document_ids": list(only)}
        return self._json("POST", "/documents/retention", json=body, timeout=None)

    def watched(self) -> list[Json]:
        """The folders that the service watches."""
        folders: list[Json] = self._json("GET", "/documents/watched")["folders"]
        return folders

    def progress(self) -> Json:
        """How far the work is."""
        return self._json("GET", "/documents/progress")

    def gold(self) -> list[Json]:
        """The gold questions, newest first."""
        questions: list[Json] = self._json("GET", "/gold")["questions"]
        return questions

    def add_gold(self, question: str, **about: Any) -> Json:
        """Keep a gold question; `about`: language, document_id, page, words."""
        return self._json("POST", "/gold", json={"question": question, **about})

    def remove_gold(self, question_id: str) -> Json:
        """Forget a gold question."""
        return self._json("DELETE", f"/gold/{question_id}")

    def gold_lines(self) -> list[Json]:
        """The gold questions as lines for `evaluate answers`."""
        lines: list[Json] = self._json("GET", "/gold/answers")["lines"]
        return lines

    def gold_retrieval(self) -> Json:
        """`corpus`, `queries` and `qrels` of the gold questions, over every passage this archivist may read."""
        return self._json("GET", "/gold/retrieval", timeout=None)

    def feedback(self) -> list[Json]:
        """What readers said of answers, newest first; `gold` is what `add_gold` takes, or None."""
        given: list[Json] = self._json("GET", "/gold/feedback")["feedback"]
        return given

    def models(self) -> Json:
        """`{"in_use": name, "changing_to": …, "models": […]}`."""
        return self._json("GET", "/adapted-models")

    def use_model(self, name: str) -> Json:
        """Begin to change to a model."""
        return self._json("PUT", "/adapted-models/in-use", json={"model": name})

    def remove_model(self, name: str) -> Json:
        """Delete a model that is not in use."""
        return self._json("DELETE", f"/adapted-models/{name}")

    def training_material(self, *, up_to: str = "") -> Json:
        """Passages and gold questions to train on; with a label only those that a reader cleared for it may read."""
        return self._json("GET", "/adapted-models/material", params={"up_to": up_to} if up_to else {}, timeout=None)

    def text(self, document_id: str, *, start: int, end: int, context: int = 400, version: str | None = None) -> Json:
        """A piece of stored text with what stands around it."""
        params: Json = {"start": start, "end": end, "context": context, **({"version": version} if version else {})}
        return self._json("GET", f"/documents/{document_id}/text", params=params)

    def page(self, document_id: str, number: int) -> Json:
        """A page (1-based) with its words and their boxes."""
        return self._json("GET", f"/documents/{document_id}/pages/{number}")

    def page_image(self, document_id: str, number: int, *, width: int = 1200) -> bytes:
        """PNG of a page."""
        return self._response("GET", f"/documents/{document_id}/pages/{number}/image", params={"width": width}).content

    def _json(self, method: str, path: str, **arguments: Any) -> Json:
        body = self._response(method, path, **arguments).json()
        assert isinstance(body, dict)
        return body

    def _response(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        with _translated():
            response = self._http.request(method, path, **arguments)
        if response.status_code >= 400:
            raise _error_from(response)
        return response


def _opened(sidecar: Path | bytes, stack: ExitStack) -> IO[bytes] | bytes:
    return sidecar if isinstance(sidecar, bytes) else stack.enter_context(sidecar.open("rb"))


@contextmanager
def _translated() -> Iterator[None]:
    """Transport failures become ServiceUnavailable."""
    try:
        yield
    except httpx.HTTPError as error:
        raise ServiceUnavailable(f"the service did not answer ({type(error).__name__})") from error


def _error_from(response: httpx.Response) -> AssistantError:
    try:
        body = response.json()["error"]
        return _error_named(body["type"], body["message"])
    except (ValueError, KeyError, TypeError):
        return ServiceUnavailable(f"the service answered with status {response.status_code}")


def _error_named(kind: str, message: str) -> AssistantError:
    name = "".join(part.capitalize() for part in kind.split("_"))
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, AssistantError) and found is not errors.DocumentRejected:
        return found(message)
    return ServiceUnavailable(message)


def announced_url(home: Path) -> str | None:
    """Where a running service of this instance says it can be reached; None when none does. It may have died since."""
    try:
        announcement = json.loads((home / ANNOUNCEMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    url = announcement.get("url") if isinstance(announcement, dict) else None
    return url if isinstance(url, str) else None
