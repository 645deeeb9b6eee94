"""Evolving by hand: sessions of breeding, networks that look on, publishing, branching, and the way to archives."""
