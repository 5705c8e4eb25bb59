"""A service whose readers sign in by name, with more documents than one page of the list holds.

`python -m tests.browser.readers INSTANCE.toml` prints its address and runs until its input ends. `reader` and `archivist` see one
public document that can be read and MANY that wait, because the work has been stopped.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from assistant.access import Label, Role
from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.service.serving import serving
from tests.service.conftest import NamedReaders
from tests.worlds import reader

MANY = 120
TEXT = "Le ponton des barques est ouvert de huit heures à vingt heures, du mois d'avril au mois d'octobre.\n"
PUBLIC = Label.parse("public")
ARCHIVIST = reader("internal", Role.READER, Role.ARCHIVIST)


def main(file: Path) -> None:
    with opened(load_settings(file)) as built:
        parts = replace(built, sign_in=NamedReaders({"reader": reader("public"), "archivist": ARCHIVIST}))
        hand_in(parts, file.parent / "ponton.txt", TEXT * 3)
        parts.ingestion.start()
        assert parts.ingestion.wait_idle(120)
        parts.ingestion.stop()
        for number in range(MANY):
            hand_in(parts, file.parent / f"lettre-{number:03}.txt", f"Lettre numéro {number}.\n")
        with serving(parts, port=0, with_page=True, announced=False) as running:
            print(running.url, flush=True)
            sys.stdin.read()


def hand_in(parts: Parts, file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    parts.ingestion.accept(file, source=file.name, principal=ARCHIVIST, label=PUBLIC)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
