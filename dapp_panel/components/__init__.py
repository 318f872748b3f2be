"""The rich components that Panel hosts."""
