"""A GGUF model as safetensors, for a server that reads GGUF slowly. Run in a process of its own, once for a model.

    python -m assistant.modelfiles.conversion FILE FOLDER

Weights are written as float32, as they come out of the file: on a processor that is what computes fastest without special
instructions. Needs the packages of `requirements/demo-model.lock`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from assistant import egress


def convert(file: Path, folder: Path) -> None:
    """Write the model in `file` into `folder`, with its tokenizer and chat template."""
    egress.apply_opt_outs()
    egress.guard()
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    # `from_pretrained(gguf_file=…)` wants a package more, and what it makes cannot be written to a folder (transformers 5.23).
    folder_of, name = str(file.parent), file.name
    tokenizer = AutoTokenizer.from_pretrained(folder_of, gguf_file=name, local_files_only=True)
    configuration = AutoConfig.from_pretrained(folder_of, gguf_file=name, local_files_only=True)
    model = AutoModelForCausalLM.from_config(configuration)  # type: ignore[no-untyped-call]  # untyped upstream, as the next
    weights = load_gguf_checkpoint(str(file), return_tensors=True, model_to_load=model)["tensors"]  # type: ignore[no-untyped-call]
    missing, unexpected = model.load_state_dict(weights, strict=False, assign=True)
    model.tie_weights()
    if set(missing) - set(model.all_tied_weights_keys) or unexpected:
        raise ValueError(f"weights are missing, {missing}, or unknown, {unexpected}")
    model.generation_config = GenerationConfig.from_model_config(configuration)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
