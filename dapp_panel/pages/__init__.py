"""What the pages may ask, by page: a name, and a function of services, actor and the given parameters.

Each function validates what was given with a shape, asks the door once or a few times, and gives shapes back; the
browser draws them. No rule about data or rights lives here.
"""

from __future__ import annotations

from dapp_panel.pages import account, activity, admin, datasets, explore, home, models, notices, predict, sharing, train
from dapp_panel.pages.asking import Call

CALLS: dict[str, Call] = {
    **home.CALLS,
    **datasets.CALLS,
    **explore.CALLS,
    **train.CALLS,
    **models.CALLS,
    **predict.CALLS,
    **activity.CALLS,
    **account.CALLS,
    **notices.CALLS,
    **sharing.CALLS,
    **admin.CALLS,
}
# For some calls: the answer if it is at hand, or None, without waiting for anything.
KEPT: dict[str, Call] = {**explore.KEPT}
