"""The Python client of DAPP, for notebooks and scripts: ``from dapp_ext.client import DAPPClient``.

It speaks HTTP and WebSocket, shares only the vocabulary (``dapp_ext.schema``) and the errors (``dapp_ext.errors``) with the
server, and needs none of the server's libraries. Pandas, pyarrow and HoloViews are imported by the methods that need them.
"""

from dapp_ext.client.client import DAPPClient
from dapp_ext.client.datasets import Dataset
from dapp_ext.client.insights import Insight
from dapp_ext.client.jobs import Job
from dapp_ext.client.live import Subscription
from dapp_ext.client.models import Model
from dapp_ext.client.profiles import DatasetProfile
from dapp_ext.client.results import Results
from dapp_ext.client.samples import sample_names, sample_path
from dapp_ext.schema.datasets import Filter

__all__ = ["DAPPClient", "Dataset", "DatasetProfile", "Filter", "Insight", "Job", "Model", "Results", "Subscription", "sample_names", "sample_path"]
