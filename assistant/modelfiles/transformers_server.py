"""A model folder behind the chat route of `transformers serve`, on a processor, one request after the other.

    python -m assistant.modelfiles.transformers_server FOLDER --name NAME --port PORT --context TOKENS

The generating is transformers' own. What stands around it is ours, since `transformers serve` (5.23) ends a stream without
`[DONE]`, lists no model of a local folder, answers under another name than it was asked for, takes prompts of any length, needs
one more package, and lets whoever reaches its port load other models from the disk and throw out the one in use. Here are four
routes: `/health`, `/v1/models`, `/v1/chat/completions`, and vLLM's `/tokenize`, by which a prompt is cut to fit. A JSON schema
is ignored.
"""

from __future__ import annotations

import argparse
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import egress

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Load the model and answer until a signal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    given = parser.parse_args()
    egress.apply_opt_outs()
    egress.guard()
    import uvicorn

    application = create_application(given.folder, name=given.name, context_tokens=given.context)
    uvicorn.run(application, host=LOOPBACK, port=given.port, log_level="warning", access_log=False)


def create_application(folder: Path, *, name: str, context_tokens: int) -> FastAPI:
    """The routes, over the model in `folder`, which is loaded now."""
    import torch
    from fastapi import FastAPI, HTTPException
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.cli.serving.chat_completion import ChatCompletionHandler
    from transformers.cli.serving.model_manager import ModelManager
    from transformers.cli.serving.utils import GenerationState

    # Half the memory and twice the speed where the processor computes with it, and far slower where it does not.
    dtype = "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"
    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)

    class Handler(ChatCompletionHandler):
        def _resolve_model(self, body: dict[str, Any]) -> tuple[str, Any, Any]:
            if body.get("model") != name:
                raise HTTPException(404, f"there is no model {body.get('model')!r} here, only {name!r}")
            return name, model, tokenizer

    handler = Handler(model_manager=ModelManager(device="cpu"), generation_state=GenerationState())
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @application.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @application.get("/v1/models")
    def models() -> dict[str, Any]:
        about = {"id": name, "object": "model", "owned_by": "local", "max_model_len": context_tokens}
        return {"object": "list", "data": [about]}

    # Like chat in the one thread of the event loop: the tokenizer is not safe for several.
    @application.post("/tokenize")
    async def tokenize(body: dict[str, Any]) -> dict[str, int]:
        return {"count": len(tokenizer.encode(str(body.get("prompt", "")))), "max_model_len": context_tokens}

    @application.post("/v1/chat/completions")
    async def chat(body: dict[str, Any]) -> Response:
        room = context_tokens - _prompt_tokens(tokenizer, body.get("messages"))
        if room <= 0:
            raise HTTPException(400, f"the prompt is longer than the {context_tokens} tokens of this model's context")
        asked = body.pop("max_completion_tokens", None) or body.get("max_tokens") or room
        body["max_tokens"] = min(int(asked), room)
        return _with_an_end(await handler.handle_request(body, str(uuid.uuid4())))

    return application


def _prompt_tokens(tokenizer: Any, messages: Any) -> int:
    """Tokens of a prompt, the template's own included. Raises HTTPException when it is none."""
    from fastapi import HTTPException

    try:
        texts = [{"role": str(message["role"]), "content": str(message["content"])} for message in messages]
        return len(tokenizer.apply_chat_template(texts, add_generation_prompt=True, return_dict=False))
    except (TypeError, KeyError) as error:
        raise HTTPException(422, "messages is not a list of messages with role and content") from error


def _with_an_end(response: Any) -> Response:
    """The response; a stream that says why it ended is ended as the protocol has it."""
    from fastapi.responses import StreamingResponse

    if isinstance(response, StreamingResponse):
        response.body_iterator = _ended(response.body_iterator)
    whole: Response = response
    return whole


async def _ended(stream: Any) -> AsyncIterator[str]:
    async with aclosing(stream):
        part = ""
        async for part in stream:
            yield part
    if '"finish_reason":"' in part:
        yield "data: [DONE]\n\n"


if __name__ == "__main__":
    main()
