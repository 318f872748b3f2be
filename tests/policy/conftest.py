"""A server for the walk over the routes; the methods are called on the same door."""

from tests.handlers.serving import backend, jp_server_config, nobody, services

__all__ = ["backend", "jp_server_config", "nobody", "services"]
