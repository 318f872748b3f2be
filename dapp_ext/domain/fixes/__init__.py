"""Fixes: what a finding offers to do about itself, and doing it to a table that is read in parts.

A fix is planned from the profile and, where it must know all values (a median, which rows repeat), from single columns;
then it is applied to one part of the table after the other. Whatever it changes, it says.
"""
