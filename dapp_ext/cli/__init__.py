"""``jupyter dapp``: one file per noun."""
