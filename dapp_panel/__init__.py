"""The dashboard: what business users open in a browser. Started by ``dapp_panel.app.serve`` or ``python -m dapp_panel``."""
