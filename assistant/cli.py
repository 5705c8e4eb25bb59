"""The command line. Every command but `up`, `serve` and `model` speaks HTTP: to the running service, or to one of its own.

So there is one path through the code whether or not a service runs, and rights are checked in one place.
Exit status: 0 done; 1 what was asked for failed, in part or whole; 2 something must be mended first, and the message says what.
"""

from __future__ import annotations

from assistant import egress

egress.apply_opt_outs()  # before anything heavy is imported

import io  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

import typer  # noqa: E402

from assistant import __version__  # noqa: E402
from assistant.commands import adapting, asking, checking, index, measuring, model, running  # noqa: E402
from assistant.commands.session import problems  # noqa: E402
from assistant.errors import AssistantError  # noqa: E402
from assistant.installed import part  # noqa: E402

app = typer.Typer(
    help="A knowledge assistant for governments: every sentence opens on the words it came from, and nothing leaves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command("version")
def print_version() -> None:
    """Print the version."""
    typer.echo(__version__)


app.command()(running.up)
app.command()(running.serve)
app.command()(running.address)
app.command()(asking.ask)
app.command()(asking.search)
app.command()(checking.doctor)
app.add_typer(checking.audit, name="audit")
app.add_typer(measuring.evaluate, name="evaluate")
app.add_typer(adapting.adapt, name="adapt")
app.add_typer(index.index, name="index")
app.add_typer(model.model, name="model")


def main() -> None:
    """Run the command line; a known error is one message and exit status 2, never a stack trace."""
    _speak_utf8()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app.add_typer(part("commands"), name="ingest")
        app()
    except AssistantError as error:
        problems.print(f"[bold red]{type(error).__name__}[/] ", end="")
        problems.print(str(error), markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _speak_utf8() -> None:
    """Begin again in Python's UTF-8 mode where the environment asks for less: questions, names and answers have any letters.

    As in `LC_ALL=C` with `PYTHONUTF8=0`. What is printed is UTF-8 as well, whatever `PYTHONIOENCODING` says.
    """
    if sys.getfilesystemencoding() != "utf-8":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - this very program
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8")


if __name__ == "__main__":
    main()
