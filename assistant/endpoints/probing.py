"""What an endpoint offers, asked and not assumed.

Is it there, does it keep to a JSON schema, how much does it read, how does it count tokens: each question is one small request
under a watch, and an answer that is not understood is a no.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import httpx

from assistant.endpoints.connection import WatchedTransport, trusted
from assistant.endpoints.exchange import Abilities, EndpointDescription, EndpointFailure, Fault, Limits
from assistant.endpoints.watching import Watch
from assistant.errors import ConfigurationError

_Tokenizer = Literal["vllm", "llama.cpp", "llama-cpp-python"]
_TOKENIZERS: tuple[_Tokenizer, ...] = ("vllm", "llama.cpp", "llama-cpp-python")
_PROBE_BYTES = 1_000_000
_QUICK_S, _SLOW_S = 3.0, 15.0
_COUNTING_S = 1.0
_WORD = "kestrel"
_SCHEMA = {
    "type": "object",
    "properties": {"bird": {"type": "string", "enum": [_WORD]}},
    "required": ["bird"],
    "additionalProperties": False,
}


class Prober:
    """Asks one endpoint. Once `stopped` says so, whatever it is asked raises Stopped."""

    def __init__(self, description: EndpointDescription, stopped: Callable[[], bool] = lambda: False) -> None:
        self._description = description
        self._stopped = stopped
        self._certificates = trusted(description.ca_file) if description.url.startswith("https:") else None
        self._root = description.url.removesuffix("/v1")

    def health(self) -> bool:
        """Whether the model is in the server's list of models. Raises EndpointFailure when the server is not well."""
        return self._model_entry() is not None

    def abilities(self) -> Abilities:
        """Everything that it offers; has it write a word. Raises EndpointFailure when the server is not well."""
        return replace(self.offers(), json_schema=self._keeps_to_schema())

    def offers(self) -> Abilities:
        """What it says of itself, without having it write. Raises EndpointFailure when the server is not well."""
        entry = self._model_entry()
        tokenizer, context = self._tokenizer()
        sizes = (context, _positive(entry, "max_model_len"), self._llama_context())
        return Abilities(
            context_tokens=next((size for size in sizes if size), None),
            tokenizer=tokenizer,
            listed=entry is not None,
        )

    def count_tokens(self, text: str, tokenizer: str) -> int | None:
        """Tokens of `text` as the endpoint counts them; None when it does not say."""
        return self._counted(text, tokenizer)[0]

    def _model_entry(self) -> Mapping[str, Any] | None:
        content = self._json("GET", f"{self._description.url}/models")
        models = content.get("data") if isinstance(content, dict) else None
        names = {self._description.model, self._description.reported_as}
        for entry in models if isinstance(models, list) else ():
            if isinstance(entry, dict) and entry.get("id") in names:
                return entry
        return None

    def _keeps_to_schema(self) -> bool:
        """Asked for something else under a schema that allows one word only, it says that word."""
        request = {
            "model": self._description.model,
            "messages": [{"role": "user", "content": "Say good morning."}],
            "max_tokens": 32,
            "temperature": 0,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "bird", "schema": _SCHEMA, "strict": True},
            },
        }
        try:
            content = self._json("POST", f"{self._description.url}/chat/completions", request, within_s=_SLOW_S)
            return bool(json.loads(content["choices"][0]["message"]["content"]) == {"bird": _WORD})
        except (EndpointFailure, ValueError, TypeError, KeyError, IndexError, RecursionError):
            return False

    def _tokenizer(self) -> tuple[Literal["", "vllm", "llama.cpp", "llama-cpp-python"], int | None]:
        """Which of the known tokenizer routes it has, and the context length that vLLM's says."""
        for tokenizer in _TOKENIZERS:
            count, context = self._counted("un deux trois", tokenizer)
            if count:
                return tokenizer, context
        return "", None

    def _counted(self, text: str, tokenizer: str) -> tuple[int | None, int | None]:
        path, request = {
            "vllm": ("/tokenize", {"model": self._description.model, "prompt": text}),
            "llama.cpp": ("/tokenize", {"content": text}),
            "llama-cpp-python": ("/extras/tokenize/count", {"input": text}),
        }[tokenizer]
        try:
            content = self._json("POST", f"{self._root}{path}", request, within_s=_COUNTING_S)
        except EndpointFailure:
            return None, None
        if tokenizer == "llama.cpp" and isinstance(content, dict):
            tokens = content.get("tokens")
            return (len(tokens) if isinstance(tokens, list) else None), None
        return _positive(content, "count"), _positive(content, "max_model_len")

    def _llama_context(self) -> int | None:
        """llama.cpp's server says it at `/props`."""
        try:
            content = self._json("GET", f"{self._root}/props")
        except EndpointFailure:
            return None
        settings = content.get("default_generation_settings") if isinstance(content, dict) else None
        return _positive(settings, "n_ctx") or _positive(content, "n_ctx")

    def _json(self, method: str, url: str, request: object = None, *, within_s: float = _QUICK_S) -> Any:
        """The JSON that comes back. Raises EndpointFailure."""
        own = self._description.limits
        limits = Limits(min(own.connect_s, within_s), within_s, within_s, within_s, _PROBE_BYTES, _PROBE_BYTES)
        watch = Watch(limits, self._stopped)
        transport = WatchedTransport(watch, key=self._description.key, certificates=self._certificates)
        with httpx.Client(transport=transport, trust_env=False, follow_redirects=False) as http:
            content = http.request(method, url, json=request).content
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise EndpointFailure(Fault.NOT_A_STREAM, "not JSON") from error


def examined(description: EndpointDescription) -> tuple[Abilities | None, str]:
    """What an endpoint says of itself now, or None and what is wrong with it. Disturbs no answer; may take seconds."""
    try:
        return Prober(description).offers(), ""
    except (EndpointFailure, ConfigurationError) as error:
        return None, str(error)


def _positive(content: object, name: str) -> int | None:
    value = content.get(name) if isinstance(content, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
