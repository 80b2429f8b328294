"""How host and plugin find and prove themselves to each other.

The host tells the plugin in its environment where to listen and, with AutoMTLS,
which certificate the host has. The plugin answers with one line on standard
output: versions, address, and its own certificate. Each side then accepts that
one certificate of the other and no more.
"""

import base64
import datetime
import os
import sys
import tempfile
from typing import NamedTuple

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend import NAME

COOKIE = ("CONCOURSE_USERS_PLUGIN", "6f1c63c0-users")
CORE_PROTOCOL = 1  # of go-plugin
PROTOCOL = 1  # of the contract


def check() -> None:
    """Tells a person who runs the executable by hand what it is, and a host of
    another time that it cannot be served."""
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        sys.exit(f"this is the {NAME} account backend, a plugin of the Concourse host; it is not run by hand: "
                 'the host, "concourse start", starts it by itself')
    spoken = os.environ.get("PLUGIN_PROTOCOL_VERSIONS", str(PROTOCOL))
    if str(PROTOCOL) not in spoken.split(","):
        sys.exit(f"the host speaks the versions {spoken} of the contract, and this backend version {PROTOCOL}")


def socket_path() -> str:
    """Returns a path in the directory that only the host's user enters."""
    directory = os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.mkdtemp()
    return os.path.join(directory, f"{NAME}-{os.getpid()}.sock")


class Proof(NamedTuple):
    """How the server proves itself, and what it wants to see."""

    credentials: grpc.ServerCredentials
    certificate: str  # its own, for the greeting


def proof() -> Proof | None:
    """Returns None if the host wants no AutoMTLS."""
    expected = os.environ.get("PLUGIN_CLIENT_CERT")
    if not expected:
        return None
    key, certificate = _self_signed()
    credentials = grpc.ssl_server_credentials(
        [(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()),
            certificate.public_bytes(serialization.Encoding.PEM),
        )],
        root_certificates=expected.encode(),
        require_client_auth=True,
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    return Proof(credentials, base64.b64encode(der).decode().rstrip("="))  # without padding


def _self_signed() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Makes a certificate for this process alone. Its time begins earlier, since
    clocks differ by their last set, and ends after any process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=30 * 365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return key, builder.sign(key, hashes.SHA256())


def greet(path: str, proven: Proof | None) -> None:
    """Prints the line, after which nothing is printed to standard output: what
    tries to ends up where the log lines go."""
    certificate = proven.certificate if proven else ""
    print(CORE_PROTOCOL, PROTOCOL, "unix", path, "grpc", certificate, sep="|", flush=True)
    sys.stdout = sys.stderr
