"""Addresses of sweeps."""

from django.urls import path

from fooling_web.runs import sweep_views as views

app_name = "sweeps"

urlpatterns = [
    path("<uuid:sweep_id>/", views.detail, name="detail"),
    path("<uuid:sweep_id>/progress/", views.progress, name="progress"),
    path("<uuid:sweep_id>/images/", views.images, name="images"),
    path("<uuid:sweep_id>/pause/", views.pause, name="pause"),
    path("<uuid:sweep_id>/resume/", views.resume, name="resume"),
    path("<uuid:sweep_id>/cancel/", views.cancel, name="cancel"),
    path("<uuid:sweep_id>/edit/", views.edit, name="edit"),
    path("<uuid:sweep_id>/delete/", views.delete, name="delete"),
]
