"""Answers that the processes of a workspace share, where there is a Redis: what one has worked out, the others need not."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from dapp_ext.errors import IntegrityFailed
from dapp_ext.services.context import Context
from dapp_ext.store.sealing import open_field, seal_field


class SharedAnswers:
    """Answers about one version of a dataset, by question. They lie in Redis sealed under the dataset's own key."""

    def __init__(self, context: Context, kind: str) -> None:
        self._context = context
        self._kind = kind
        self._secret = b""

    def get(self, key: tuple[str, int, str], make: Callable[[], bytes]) -> bytes:
        """The answer that another process has left, or the one that is made now and left for them.

        Parameters
        ----------
        key : (str, int, str)
            Id and version of the dataset, and the question.
        make : callable
            Works the answer out.
        """
        redis = self._context.redis
        if redis is None:
            return make()
        name = self._name(key)
        with self._context.database.read() as session:
            data_key = self._context.data_key(session, key[0])
        sealed = redis.get(name)
        if sealed is not None:
            try:
                return open_field(data_key, name.encode(), sealed)
            except IntegrityFailed:
                pass  # written by somebody who does not hold the key; our own answer takes its place
        made = make()
        redis.put(name, seal_field(data_key, name.encode(), made))
        return made

    def _name(self, key: tuple[str, int, str]) -> str:
        """The question may hold values from the data, so its name there is a code under a secret of the workspace."""
        self._secret = self._secret or self._context.secret("answers")
        return hmac.new(self._secret, "\0".join((self._kind, key[0], str(key[1]), key[2])).encode(), hashlib.sha256).hexdigest()
