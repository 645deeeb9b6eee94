"""Addresses of files that leave the site, of galleries that somebody takes away, and of citations."""

from django.urls import path

from fooling_web.exports import archive_views, citing_views, gallery_views, views

app_name = "exports"

urlpatterns = [
    path("exports/", archive_views.mine, name="mine"),
    path("exports/order/", archive_views.order, name="order"),
    path("import/", archive_views.take_in, name="import"),
    path("import/<uuid:job_id>/", archive_views.arrival, name="arrival"),
    path("import/<uuid:job_id>/cancel/", archive_views.cancel_arrival, name="cancel_arrival"),
    path("exports/<uuid:job_id>/", views.job, name="job"),
    path("exports/<uuid:job_id>/cancel/", views.cancel, name="cancel"),
    path("exports/<uuid:job_id>/again/", views.again, name="again"),
    path("exports/file/<str:token>/", views.file, name="file"),
    path("gallery/take/", gallery_views.take, name="take"),
    path("runs/<uuid:run_id>/cite/", citing_views.run, name="cite_run"),
    path("runs/<uuid:run_id>/cite.bib", citing_views.run_bib, name="cite_run_bib"),
    path("images/<uuid:run_id>/<int:number>/cite/", citing_views.image, name="cite_image"),
    path("images/<uuid:run_id>/<int:number>/cite.bib", citing_views.image_bib, name="cite_image_bib"),
]
