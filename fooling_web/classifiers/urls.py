"""Addresses of classifiers."""

from django.urls import path

from fooling_web.classifiers import views

app_name = "classifiers"

urlpatterns = [
    path("", views.classifier_list, name="list"),
    path("import/", views.take_in, name="import"),
    path("imports/<uuid:import_id>/", views.importing, name="importing"),
    path("trials/<uuid:trial_id>/", views.trial, name="trial"),
    path("fetches/<uuid:fetch_id>/", views.fetching, name="fetching"),
    path("<slug:name>/fetch/", views.fetch, name="fetch"),
    path("<slug:name>/remove/", views.remove, name="remove"),
    path("<slug:name>/", views.detail, name="detail"),
]
