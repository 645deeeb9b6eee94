"""Foolbreeder without the site: engine and classifiers as one command, for a cluster's node or a borrowed machine.

`python -m standalone evolve` needs neither Django nor database nor broker. What it finds goes into an archive file,
which `manage.py import_archive` takes into a site with its whole history.
"""
