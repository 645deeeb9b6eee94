"""From a fresh clone to a running site: what `make` calls.

Set-up needs the standard library alone; whatever comes after it runs in the project's virtual environment.
"""
