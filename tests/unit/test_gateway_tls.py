"""TLS by file: the gateway speaks it alone, and what is wrong with the files is said."""

import shutil
import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest
from support.gateway import config_of

from gateway.server import running

NOBODY = "127.0.0.1:9"  # nothing listens there


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine, which makes the certificate")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    subprocess.run([*command, *subject, "-keyout", key, "-out", chain], check=True, capture_output=True)
    return chain, key


async def test_a_gateway_with_a_certificate_speaks_tls_and_nothing_else(
    certificate: tuple[Path, Path],
) -> None:
    chain, key = certificate
    config = config_of(NOBODY, certificate=chain, certificate_key=key)
    trusting = ssl.create_default_context(cafile=str(chain))
    async with running(config), aiohttp.ClientSession() as session:
        async with session.get(f"https://127.0.0.1:{config.port}/health", ssl=trusting) as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"https://127.0.0.1:{config.port}/health")
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://127.0.0.1:{config.port}/health")


async def test_files_that_are_no_certificate_do_not_start_it(certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    for wrong, with_key in ((key, key), (chain, chain), (Path("none.pem"), key)):
        with pytest.raises(OSError):  # noqa: PT011 -- of ssl, with its own words
            async with running(config_of(NOBODY, certificate=wrong, certificate_key=with_key)):
                pass
