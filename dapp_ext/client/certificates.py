"""Which certificates count: those of the public authorities, the file or folder that the environment names, and the one that was given."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx

from dapp_ext.errors import Invalid

_HOW = (
    "Set SSL_CERT_FILE in the environment to the file with its certificate, or that of the authority that signed it, before Python starts, "
    "or give the file: DAPPClient(url, verify=file)."
)


def trusted(url: str, certificate: str = "") -> ssl.SSLContext | bool:
    """How a server at this address has to show who it is; on this machine as everywhere.

    Parameters
    ----------
    certificate : str
        A file of certificates that count beside those of the public authorities; none when empty.

    Raises
    ------
    Invalid
        If this file, or ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``, names what cannot be read as certificates.
    """
    if not url.startswith(("https:", "wss:")):
        return True  # nothing to show, and nothing is loaded for it
    try:
        context = httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        named = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
        raise Invalid(f"The certificates in {named} cannot be read: {error.strerror or error}. Look at SSL_CERT_FILE in the environment.") from error
    if certificate:
        try:
            context.load_verify_locations(certificate)
        except OSError as error:
            raise Invalid(f"The certificates in {certificate!r} cannot be read: {error.strerror or error}. Give a file in the PEM format.") from error
    return context


def certificate_file(verify: object) -> str:
    """The file that was given as ``verify``.

    Raises
    ------
    Invalid
        If checking was to be turned off: whoever stands in between could read passwords and data.
    """
    if verify is None or verify is True:
        return ""
    if isinstance(verify, (str, os.PathLike)):
        return str(Path(verify).expanduser())
    raise Invalid("A server's certificate is always checked. Give the file with its certificate, or that of the authority that signed it: verify=file")


def refused(error: BaseException, url: str) -> str | None:
    """What to say when a connection failed because a certificate is not trusted; None when it failed for another reason."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"The certificate of {url} is not trusted here: {seen.verify_message}. {_HOW}"
        if isinstance(seen, ssl.SSLError):
            return (
                f"No encrypted connection to {url} could be made: {seen.reason or 'its answer is not TLS'}. Look whether its address begins with http or https."
            )
        seen = seen.__cause__ or seen.__context__
    return None
