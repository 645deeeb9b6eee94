"""Addresses of runs."""

from django.urls import path

from fooling_web.runs import compare_views, takeover_views, time_views, views

app_name = "runs"

urlpatterns = [
    path("", views.run_list, name="list"),
    path("launch/", views.launch, name="launch"),
    path("estimate/", views.estimate, name="estimate"),
    path("compare/", compare_views.compare, name="compare"),
    path("<uuid:run_id>/", views.detail, name="detail"),
    path("<uuid:run_id>/advance/", views.advance, name="advance"),
    path("<uuid:run_id>/milestones/", views.milestones, name="milestones"),
    path("<uuid:run_id>/milestones.csv", views.milestones_csv, name="milestones_csv"),
    path("<uuid:run_id>/pause/", views.pause, name="pause"),
    path("<uuid:run_id>/resume/", views.resume, name="resume"),
    path("<uuid:run_id>/cancel/", views.cancel, name="cancel"),
    path("<uuid:run_id>/edit/", views.edit, name="edit"),
    path("<uuid:run_id>/delete/", views.delete, name="delete"),
    path("<uuid:run_id>/undelete/", views.undelete, name="undelete"),
    path("<uuid:run_id>/atlas/<int:generation>/<int:number>.webp", views.atlas, name="atlas"),
    path("<uuid:run_id>/heatmap/<int:generation>.bin", views.heatmap, name="heatmap"),
    path("<uuid:run_id>/classes/", views.class_list, name="classes"),
    path("<uuid:run_id>/classes/<int:class_index>/", views.champion, name="champion"),
    path("<uuid:run_id>/individuals/<int:number>/<str:genome_hash>.png", views.image, name="image"),
    path(
        "<uuid:run_id>/individuals/<int:number>/<str:short_hash>-<int:size>.webp",
        views.small_image,
        name="small_image",
    ),
    path(
        "<uuid:run_id>/individuals/<int:number>/<str:genome_hash>/difference.png",
        views.difference,
        name="difference",
    ),
    path("<uuid:run_id>/individuals/<int:number>/genome/", views.genome, name="genome"),
    path("<uuid:run_id>/time/", time_views.time, name="time"),
    path("<uuid:run_id>/time/<int:generation>.json", time_views.moment, name="moment"),
    path("<uuid:run_id>/time/<int:generation>/<int:side>.jpg", time_views.tiles, name="tiles"),
    path("<uuid:run_id>/time/film/", time_views.order_film, name="order_film"),
    path("<uuid:run_id>/takeovers/", takeover_views.takeovers, name="takeovers"),
    path("<uuid:run_id>/takeovers.csv", takeover_views.takeovers_csv, name="takeovers_csv"),
    path("<uuid:run_id>/takeovers/<int:class_index>/", takeover_views.genes, name="genes"),
    path("films/<uuid:film_id>/", time_views.film, name="film"),
    path("films/<uuid:film_id>/again/", time_views.film_again, name="film_again"),
    path("films/<uuid:film_id>/film.webp", time_views.film_file, name="film_file"),
]
