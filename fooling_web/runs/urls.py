"""Addresses of runs."""

from django.urls import path

from fooling_web.runs import views

app_name = "runs"

urlpatterns = [
    path("", views.run_list, name="list"),
    path("launch/", views.launch, name="launch"),
    path("estimate/", views.estimate, name="estimate"),
    path("<uuid:run_id>/", views.detail, name="detail"),
    path("<uuid:run_id>/advance/", views.advance, name="advance"),
    path("<uuid:run_id>/pause/", views.pause, name="pause"),
    path("<uuid:run_id>/resume/", views.resume, name="resume"),
    path("<uuid:run_id>/cancel/", views.cancel, name="cancel"),
    path("<uuid:run_id>/edit/", views.edit, name="edit"),
    path("<uuid:run_id>/delete/", views.delete, name="delete"),
    path("<uuid:run_id>/classes/<int:class_index>/", views.champion, name="champion"),
    path("<uuid:run_id>/individuals/<int:number>/<str:genome_hash>.png", views.image, name="image"),
    path("<uuid:run_id>/individuals/<int:number>/genome/", views.genome, name="genome"),
]
