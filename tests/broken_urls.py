"""Addresses of a site whose only page breaks."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("this page breaks")


urlpatterns = [path("", broken)]
