"""Addresses of breeding. Each room of views lists its own."""

from typing import Any

from django.urls import path

from fooling_web.breeding import (
    beginning_views,
    editing_views,
    family_views,
    founding_views,
    home_views,
    looking_views,
    offering_views,
    publishing_views,
    views,
)

app_name = "breeding"

urlpatterns: list[Any] = [
    path("", home_views.home, name="home"),
    path("begin/", beginning_views.begin, name="begin"),
    path("import/", beginning_views.import_genome, name="import"),
    path("sessions/", beginning_views.sessions, name="sessions"),
    path("<uuid:session_id>/", views.session, name="session"),
    path("<uuid:session_id>/settings/", views.settings, name="settings"),
    path("<uuid:session_id>/<int:number>/", views.litter, name="litter"),
    path("<uuid:session_id>/<int:number>/evolve/", views.evolve, name="evolve"),
    path("<uuid:session_id>/<int:number>/reroll/", views.reroll, name="reroll"),
    path("<uuid:session_id>/<int:number>/restart/", views.restart, name="restart"),
    path("<uuid:session_id>/<int:number>/recolour/", views.recolour, name="recolour"),
    path("<uuid:session_id>/<int:number>/go/", views.go, name="go"),
    path("<uuid:session_id>/<int:number>/sheet-<slug:digest>.webp", views.sheet, name="sheet"),
    path(
        "<uuid:session_id>/<int:number>/<int:place>/picture-<int:size>.<slug:ending>",
        views.tile,
        name="tile",
    ),
    path("<uuid:session_id>/<int:number>/<int:place>/genome.json", views.genome, name="genome"),
    path("<uuid:session_id>/networks/", looking_views.networks, name="networks"),
    path("<uuid:session_id>/<int:number>/opinions/", looking_views.hear, name="opinions"),
    path("<uuid:session_id>/<int:number>/<int:place>/seen/", looking_views.see, name="seen"),
    path("labels/<str:classifier>/", looking_views.labels, name="labels"),
    path("<uuid:session_id>/<int:number>/attempt/", looking_views.attempt, name="attempt"),
    path("<uuid:session_id>/attempt/", looking_views.attempt_state, name="attempt_state"),
    path(
        "<uuid:session_id>/attempts/<int:attempt_id>/stop/", looking_views.attempt_stop, name="attempt_stop"
    ),
    path(
        "<uuid:session_id>/attempts/<int:attempt_id>/best-<int:generation>.webp",
        looking_views.attempt_picture,
        name="attempt_picture",
    ),
    path("found/", founding_views.found_run, name="found"),
    path("<uuid:session_id>/<int:number>/found/", founding_views.found_from_litter, name="found_from_litter"),
    path("pictures/", home_views.pictures, name="pictures"),
    path("breeders/", home_views.breeders, name="breeders"),
    path("<uuid:session_id>/<int:number>/<int:place>/edit/", editing_views.edit, name="edit"),
    path(
        "<uuid:session_id>/<int:number>/<int:place>/edit/picture/",
        editing_views.edit_picture,
        name="edit_picture",
    ),
    path(
        "<uuid:session_id>/<int:number>/<int:place>/edit/nodes/", editing_views.edit_nodes, name="edit_nodes"
    ),
    path("<uuid:session_id>/<int:number>/<int:place>/edit/keep/", editing_views.edit_keep, name="edit_keep"),
    path(
        "<uuid:session_id>/<int:number>/<int:place>/publish/",
        publishing_views.publish,
        name="publish",
    ),
    path("published/<uuid:run_id>/<int:number>/edit/", publishing_views.edit, name="publication_edit"),
    path("published/<uuid:run_id>/<int:number>/delete/", publishing_views.unpublish, name="unpublish"),
    path("published/<uuid:run_id>/<int:number>/verdict/", publishing_views.verdict, name="verdict"),
    path("branches/<uuid:run_id>/<int:number>/", publishing_views.branches, name="branches"),
    path("tree/", family_views.tree, name="tree"),
    path("tree/data/", family_views.tree_data, name="tree_data"),
    path("offers/<uuid:run_id>/<int:number>/", offering_views.offering, name="offer"),
]
