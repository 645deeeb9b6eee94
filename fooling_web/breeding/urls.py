"""Addresses of breeding. Each room of views lists its own."""

from typing import Any

from django.urls import path

from fooling_web.breeding import offering_views

app_name = "breeding"

urlpatterns: list[Any] = [
    path("offers/<uuid:run_id>/<int:number>/", offering_views.offering, name="offer"),
]
