"""Endpoints in the instance file: what is accepted, and what an error says."""

from __future__ import annotations

import ssl
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from assistant.access import Label
from assistant.config import load_settings
from assistant.endpoints import EndpointDescription, Limits, ModelRouter, endpoints_of
from assistant.errors import ConfigurationError, EgressBlocked
from tests.assistant.endpoint_worlds import PATIENT, collected, described, router
from tests.endpoint_server import MODEL, EndpointServer, answer
from tests.worlds import ROOT, child_environment, instance_file

ENDPOINT = (
    '[[models.endpoints]]\nname = "vllm-a"\nurl = "http://127.0.0.1:8000/v1"\nmodel = "m"\nclearance = "internal/tax"\n'
)


def endpoints(folder: Path, extra: str) -> tuple[EndpointDescription, ...]:
    return endpoints_of(load_settings(instance_file(folder, extra=extra)))


def test_no_endpoint_is_described_by_default(tmp_path: Path) -> None:
    assert endpoints(tmp_path, "") == ()


def test_endpoint_is_described_completely(tmp_path: Path) -> None:
    (tmp_path / "vllm.key").write_text("clef\n", encoding="ascii")
    (tmp_path / "vllm.key").chmod(0o600)
    extra = ENDPOINT + (
        'languages = ["fr"]\ncontext_tokens = 8192\nkey_file = "vllm.key"\nconcurrency = 4\n'
        "connect_s = 1\nfirst_token_s = 2\nbetween_tokens_s = 3\ntotal_s = 4\n"
    )
    label = Label.parse("internal/tax")
    assert endpoints(tmp_path, extra) == (
        EndpointDescription(
            "vllm-a",
            "http://127.0.0.1:8000/v1",
            "m",
            frozenset({"fr"}),
            8192,
            label,
            concurrency=4,
            limits=Limits(1, 2, 3, 4),
            key="clef",
        ),
    )


def test_order_of_the_file_is_kept(tmp_path: Path) -> None:
    names = ("zeta", "alpha", "mid")
    extra = "".join(ENDPOINT.replace("vllm-a", name) for name in names)
    assert tuple(one.name for one in endpoints(tmp_path, extra)) == names


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ('url = "ftp://127.0.0.1/v1"', "models.endpoints.0.url", "'ftp://127.0.0.1/v1'"),
        ('url = "http://user:pass@127.0.0.1/v1"', "models.endpoints.0.url", "http://"),
        ('url = "127.0.0.1:8000"', "models.endpoints.0.url", "'127.0.0.1:8000'"),
        ('clearance = "cosmic"', "models.endpoints.0.clearance", "'cosmic'"),
        ('languages = ["de"]', "models.endpoints.0.languages.0", "'de'"),
        ("concurrency = 0", "models.endpoints.0.concurrency", "0"),
        ("total_s = -1", "models.endpoints.0.total_s", "-1"),
        ('modell = "x"', "models.endpoints.0.modell", "there is no such key"),
    ],
)
def test_error_names_file_key_and_value(tmp_path: Path, line: str, key: str, value: str) -> None:
    name = line.partition(" ")[0]
    kept = "".join(f"{one}\n" for one in ENDPOINT.splitlines() if not one.startswith(f"{name} ="))
    with pytest.raises(ConfigurationError) as caught:
        endpoints(tmp_path, f"{kept}{line}\n")
    for part in (str(tmp_path), key, value):
        assert part in str(caught.value)


@pytest.mark.parametrize("salt", ["s" * 129, "un@deux", "un/deux", r"un\\deux", r"un\u0000deux", r"un\ndeux"])
def test_salt_that_vllm_would_refuse_is_refused_at_the_start_and_not_repeated(tmp_path: Path, salt: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"models\.endpoints\.0\.cache_salt: write at most 128.*@, / or"
    ) as caught:
        endpoints(tmp_path, f'{ENDPOINT}cache_salt = "{salt}"\n')
    assert salt not in str(caught.value)
    assert "deux" not in str(caught.value)


def test_longest_salt_that_vllm_takes_is_taken(tmp_path: Path) -> None:
    (described,) = endpoints(tmp_path, f'{ENDPOINT}cache_salt = "{"s" * 128}"\n')
    assert described.cache_salt == "s" * 128


def test_clearance_has_no_default(tmp_path: Path) -> None:
    without = "".join(f"{line}\n" for line in ENDPOINT.splitlines() if "clearance" not in line)
    with pytest.raises(ConfigurationError, match=r"models\.endpoints\.0\.clearance: this key is required"):
        endpoints(tmp_path, without)


def test_two_endpoints_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="two endpoints have the same name"):
        endpoints(tmp_path, ENDPOINT + ENDPOINT)


@pytest.mark.parametrize("host", ["models.example", "192.0.2.7", "127.0.0.1.example"])
def test_host_that_is_not_listed_is_refused(tmp_path: Path, host: str) -> None:
    extra = ENDPOINT.replace("127.0.0.1", host)
    with pytest.raises(EgressBlocked, match=rf"vllm-a.*{host} is not this machine.*egress\.allow"):
        endpoints(tmp_path, extra)
    assert endpoints_of(load_settings(instance_file(tmp_path, extra=f'{extra}[egress]\nallow = ["{host}"]\n')))


def test_key_that_everybody_can_use_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "vllm.key"
    file.write_text("clef", encoding="ascii")
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"vllm-a.*vllm\.key.*chmod o="):
        endpoints(tmp_path, f'{ENDPOINT}key_file = "vllm.key"\n')


@pytest.mark.parametrize("content", [b"", b"two words", "clé".encode(), b"a\nb"])
def test_key_file_without_a_key_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vllm.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="is not a key") as caught:
        endpoints(tmp_path, f'{ENDPOINT}key_file = "vllm.key"\n')
    assert "two words" not in str(caught.value)


def test_absent_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.key.*cannot be read"):
        endpoints(tmp_path, f'{ENDPOINT}key_file = "absent.key"\n')


def test_absent_certificates_are_named(tmp_path: Path) -> None:
    extra = ENDPOINT.replace("http:", "https:") + 'ca_file = "absent.pem"\n'
    with pytest.raises(ConfigurationError, match=r"absent\.pem.*certificates"):
        ModelRouter(endpoints(tmp_path, extra), probing=False)


def test_cache_salt_goes_out_with_each_request(tmp_path: Path) -> None:
    with EndpointServer(answer("Oui.")) as server:
        address = f'url = "{server.url}"\nmodel = "{MODEL}"\nclearance = "secret"\n'
        extra = f'[[models.endpoints]]\nname = "a"\n{address}cache_salt = "sel"\n'
        with router(*endpoints(tmp_path, extra)) as models:
            collected(models)
        assert server.seen[0].body["cache_salt"] == "sel"


@pytest.mark.parametrize("pace", [0, 3])
def test_answers_come_over_tls_with_certificates_of_ones_own(tmp_path: Path, pace: int) -> None:
    """At three tokens a second every wait of the socket is cut, and TLS goes on after each."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(_self_signed(tmp_path))
    with EndpointServer(answer("un deux trois", per_second=pace), tls=tls) as server:
        with router(replace(described(server.url, limits=PATIENT), ca_file=tmp_path / "own.pem")) as models:
            assert collected(models).text == "un deux trois"
        with router(described(server.url)) as models:
            assert "one: refused" in collected(models).unavailable
        assert len(server.seen) == 1


def _self_signed(folder: Path) -> Path:
    """`own.pem`: key and certificate of 127.0.0.1 for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "endpoint")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "own.pem"
    file.write_bytes(private + certificate.public_bytes(pem))
    return file


_BY_NAME = """
import socket, sys, urllib.request
from assistant import egress
from tests.assistant.endpoint_worlds import collected, described, router

def of_the_network(host, port, *others, **more):  # the resolver of a network in which models.example is this machine
    if host != "models.example":
        return known(host, port, *others, **more)
    sys.audit("socket.getaddrinfo", host, port)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("0.0.0.0", port))]

known, socket.getaddrinfo = socket.getaddrinfo, of_the_network
egress.apply_opt_outs()
egress.guard(sys.argv[2:])
with router(described(sys.argv[1])) as models:
    came = collected(models)
print(came.text or came.unavailable)
try:
    urllib.request.urlopen("http://0.0.0.0:9/", timeout=1)
except Exception as error:
    print("refused" if "was refused" in repr(error) else repr(error))
print("torch" in sys.modules, "transformers" in sys.modules)
"""


@pytest.mark.parametrize(("allowed", "said"), [(["models.example"], "Oui."), ([], "not permitted")])
def test_guard_stays_in_force_and_lets_the_client_alone_reach_a_host_listed_by_name(
    allowed: list[str], said: str
) -> None:
    """0.0.0.0 leads to this machine and counts as outside, so only the list lets anybody there."""
    with EndpointServer(answer("Oui.")) as server:
        url = server.url.replace("127.0.0.1", "models.example")
        finished = subprocess.run(
            [sys.executable, "-c", _BY_NAME, url, *allowed],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=child_environment(),
            timeout=120,
        )
    assert finished.returncode == 0, finished.stderr
    first, *rest = finished.stdout.splitlines()
    assert said in first
    assert rest == ["refused", "False False"]


_AFTER_LOADING = """
import sys
from assistant import egress
egress.apply_opt_outs()
egress.guard()
from tests.assistant.endpoint_worlds import collected, described, router
with router(described(sys.argv[1])) as models:
    before = set(sys.modules)
    print(collected(models).text, sorted(name for name in set(sys.modules) - before if name.startswith(("openai", "llama"))))
"""


def test_first_answer_loads_nothing_more_and_no_variable_has_the_question_written_down() -> None:
    with EndpointServer(answer("Oui.")) as server:
        finished = subprocess.run(
            [sys.executable, "-c", _AFTER_LOADING, server.url],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=child_environment(OPENAI_LOG="debug"),
            timeout=120,
        )
    assert finished.stdout == "Oui. []\n", finished.stderr
    assert "délai" not in finished.stderr
    assert "d\\u00e9lai" not in finished.stderr
