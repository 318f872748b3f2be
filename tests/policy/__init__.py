"""The policy, walked at every door."""
