"""Addresses of studies: building them, taking part, results, files, classes and play."""

from django.urls import URLPattern

app_name = "studies"
urlpatterns: list[URLPattern] = [
    # Building
    # Taking part
    # Results
    # Files
    # Classes
    # Play
]
