"""A server for the contracts that are kept over HTTP."""

from tests.handlers.serving import backend, jp_server_config, nobody, owner, services, signed_in

__all__ = ["backend", "jp_server_config", "nobody", "owner", "services", "signed_in"]
