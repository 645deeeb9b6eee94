"""Addresses of the site."""

from django.contrib import admin
from django.urls import include, path, re_path

from fooling_web import views
from fooling_web.breeding.consumers import BreedingConsumer
from fooling_web.runs.consumers import NowhereConsumer, RunConsumer
from fooling_web.studies.consumers import ClassroomConsumer, ResultsConsumer, SeatConsumer

urlpatterns = [
    path("", views.home, name="home"),
    path("about/", views.about, name="about"),
    path("runs/", include("fooling_web.runs.urls")),
    path("sweeps/", include("fooling_web.runs.sweep_urls")),
    path("", include("fooling_web.galleries.urls")),
    path("", include("fooling_web.exports.urls")),
    path("breed/", include("fooling_web.breeding.urls")),
    path("", include("fooling_web.studies.urls")),
    path("classifiers/", include("fooling_web.classifiers.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

websocket_urlpatterns = [
    path("ws/runs/<uuid:run_id>/", RunConsumer.as_asgi()),
    path("ws/breed/<uuid:session_id>/", BreedingConsumer.as_asgi()),
    path("ws/studies/<uuid:study_id>/results/", ResultsConsumer.as_asgi()),
    path("ws/classes/<uuid:classroom_id>/", ClassroomConsumer.as_asgi()),
    path("ws/seats/<uuid:participant_id>/", SeatConsumer.as_asgi()),
    re_path("", NowhereConsumer.as_asgi()),
]
