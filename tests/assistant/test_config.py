import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from assistant.config import Settings, instance_file, load_settings
from assistant.database import allowed_url
from assistant.errors import ConfigurationError, EgressBlocked
from tests import worlds

GOOD = '[instance]\nname = "Essai"\ndata = "data"\n'


def number_keys(section: type[BaseModel], path: str = "") -> Iterator[str]:
    """The keys of all settings that count or measure, as in `service.port`, tables in lists included."""
    for name, setting in section.model_fields.items():
        parts = [setting.annotation, *typing.get_args(setting.annotation)]
        kinds = [typing.get_args(part)[0] if hasattr(part, "__metadata__") else part for part in parts]
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        for kind in inner:
            yield from number_keys(kind, f"{path}{name}.")
        if not inner and {int, float} & set(kinds) and dict not in map(typing.get_origin, parts):
            yield f"{path}{name}"


NUMBERS = frozenset(number_keys(Settings))
assert {"service.port", "ingest.retention.keep_days", "models.endpoints.total_s", "models.wait_s"} < NUMBERS


def write(folder: Path, text: str) -> Path:
    file = folder / "instance.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (GOOD + "[service]\nport = 99999\n", "service.port", "99999"),
        (GOOD + '[service]\nprot = "x"\n', "service.prot", "there is no such key"),
        (GOOD + '[service]\nhost = ""\n', "service.host", "''"),
        (GOOD + '[service]\nhost = "http://127.0.0.1"\n', "service.host", "127.0.0.1"),
        (GOOD + '[egress]\nallow = ["10.0.0.0/8"]\n', "egress.allow", "'10.0.0.0/8'"),
        (GOOD + '[egress]\nallow = ["db.example:5432"]\n', "egress.allow", "'db.example:5432'"),
        (GOOD + '[ingest]\nwatch = [""]\n', "ingest.watch", "''"),
        (GOOD + '[service]\npublic_url = "assistant.example"\n', "service.public_url", "'assistant.example'"),
        (GOOD + '[service]\npublic_url = "https://assistant.example/x"\n', "service.public_url", "without a path"),
        (GOOD + "languages = []\n", "instance.languages", "write at least one"),
        (GOOD + '[database]\nurl = "postgresql://u@[::1/x"\n', "database.url", "[::1/x"),
        (GOOD + '[labelling]\nunmarked = "public"\n', "labelling.unmarked", "'public'"),
        (GOOD + '[access]\nclearance = "cosmic"\n', "access.clearance", "'cosmic'"),
        (GOOD + "[embedding.dense_weights]\nfr = 3.0\n", "embedding.dense_weights.fr", "3.0"),
        ('[instance]\nname = ""\ndata = "d"\n', "instance.name", "''"),
    ],
)
def test_error_names_file_key_and_value(tmp_path: Path, text: str, key: str, value: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)
    message = str(caught.value)
    assert str(file) in message
    assert key in message
    assert value in message


SECRET = "geh3im"
ENDPOINT = f"""[[models.endpoints]]
name = "a"
url = "http://127.0.0.1:8000/v1"
model = "m"
clearance = "public"
cache_salt = "{SECRET}"
"""


@pytest.mark.parametrize(
    "text",
    [
        ENDPOINT + ENDPOINT,
        ENDPOINT.replace("[[", "[").replace("]]", "]"),
        ENDPOINT + f'api_key = "{SECRET}"\n',
        ENDPOINT.replace("http://", f"http://user:{SECRET}@"),
        ENDPOINT.replace("/v1", f"/v1?key={SECRET}"),
        f'[databse]\nurl = "postgresql://user:{SECRET}@localhost/x"\n',
        f'[database]\nurl = ["postgresql://user:{SECRET}@localhost/x"]\n',
        f'[database]\nurl = "postgresql://user:x/{SECRET}@localhost/x"\n',
        f'[database]\nurl = "postgresql://user:{SECRET}@[localhost/x"\n',
        f'[egress]\nallow = ["http://user:{SECRET}@proxy:3128"]\n',
    ],
)
def test_error_names_the_key_and_never_a_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"instance\.toml: (models\.endpoints|databa?se|egress\.allow)"
    ) as caught:
        load_settings(write(tmp_path, GOOD + text))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[ingest]\nwatch = 5\n",
        "[labelling]\nmarkings = 5\n",
        "[embedding]\ndense_weights = 0.5\n",
        "[service]\nport = 1.5\n",
    ],
)
def test_error_speaks_of_the_file_and_not_of_python(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=": write a ") as caught:
        load_settings(write(tmp_path, GOOD + text))
    assert not {"tuple", "<class", "dictionary", "integer"} & set(str(caught.value).split())


@pytest.mark.parametrize("key", sorted(NUMBERS))
@pytest.mark.parametrize("value", ["true", "false", '"1"'])
def test_number_is_no_boolean_and_no_text(tmp_path: Path, key: str, value: str) -> None:
    section, name = key.rsplit(".", 1)
    headings = {"ingest.retention": "[[ingest.retention]]\ncollection = 'x'", "models.endpoints": ENDPOINT}
    file = write(tmp_path, GOOD + f"{headings.get(section, f'[{section}]')}\n{name} = {value}\n")
    with pytest.raises(ConfigurationError, match=rf"{re.escape(name)} .*write a (whole )?number"):
        load_settings(file)


def test_boolean_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ingest\.ocr 1: write true or false"):
        load_settings(write(tmp_path, GOOD + "[ingest]\nocr = 1\n"))


def test_weight_of_a_language_is_no_boolean(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"dense_weights\.fr True: write a number"):
        load_settings(write(tmp_path, GOOD + "[embedding.dense_weights]\nfr = true\n"))


def test_whole_number_is_a_number(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, GOOD + "[ingest]\nwall_s = 60\n")).ingest.wall_s == 60


def test_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"instance\.data: this key is required"):
        load_settings(write(tmp_path, '[instance]\nname = "Essai"\n'))


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"instance\.toml: not valid TOML: .*line 2"):
        load_settings(write(tmp_path, "[instance]\nname = = 3\n"))


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    file = tmp_path / "instance.toml"
    file.write_bytes(GOOD.encode() + b"# \xe9t\xe9\n")
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        load_settings(file)


def test_absent_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--instance"):
        load_settings(tmp_path / "absent.toml")


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, GOOD)).home == tmp_path / "data"


def test_assistant_home_overrides_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(tmp_path / "elsewhere"))
    assert load_settings(write(tmp_path, GOOD)).home == tmp_path / "elsewhere"


def test_default_instance_listens_on_loopback_only() -> None:
    assert load_settings(instance_file(None)).service.host == "127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@db.example/x",
        "postgresql://u@127.0.0.1,db.example:5432/x",
        "postgresql:///x?host=/run/postgresql,db.example",
        "postgresql://u@localhost/x?hostaddr=192.0.2.7",
    ],
)
def test_database_on_a_host_that_is_not_listed_is_refused_however_it_is_written(tmp_path: Path, url: str) -> None:
    settings = load_settings(worlds.instance_file(tmp_path, extra=f'[database]\nurl = "{url}"\n'))
    with pytest.raises(EgressBlocked, match=r"db\.example|192\.0\.2\.7"):
        allowed_url(settings)


def test_database_on_this_machine_is_allowed_however_it_is_written(tmp_path: Path) -> None:
    for number, url in enumerate(
        ("", "postgresql:///x", "postgresql://u@[::1]:5432/x", "postgresql:///x?host=/run/postgresql")
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        settings = load_settings(worlds.instance_file(folder, extra=f'[database]\nurl = "{url}"\n'))
        assert allowed_url(settings) == url
