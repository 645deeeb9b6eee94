"""The web application: accounts, runs, and the pages on which people watch networks being fooled."""
