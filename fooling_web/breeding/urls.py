"""Addresses of breeding. Each room of views lists its own."""

from typing import Any

app_name = "breeding"

urlpatterns: list[Any] = []
