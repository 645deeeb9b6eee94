"""Addresses of studies: building them, taking part, results, files, classes and play."""

from django.urls import URLPattern, path, re_path

from fooling_web.studies import (
    building_views,
    choosing_views,
    classroom_views,
    files_views,
    pilot_views,
    play_views,
    results_views,
    taking_views,
)

app_name = "studies"
urlpatterns: list[URLPattern] = [
    # Building
    path("studies/", building_views.studies, name="list"),
    path("studies/new/", building_views.new, name="new"),
    path("studies/<uuid:study_id>/", building_views.study, name="study"),
    path("studies/<uuid:study_id>/design/", building_views.design, name="design"),
    path("studies/<uuid:study_id>/images/", choosing_views.images, name="images"),
    path("studies/<uuid:study_id>/images/preset/", choosing_views.fulfil, name="fulfil"),
    path("studies/<uuid:study_id>/images/evolved/", choosing_views.add_evolved, name="add_evolved"),
    path("studies/<uuid:study_id>/images/natural/", choosing_views.add_natural, name="add_natural"),
    path("studies/<uuid:study_id>/images/change/", choosing_views.change_images, name="change_images"),
    path("studies/<uuid:study_id>/images/undo/", choosing_views.undo, name="undo"),
    path("studies/<uuid:study_id>/images/ask/", choosing_views.ask, name="ask"),
    path("studies/<uuid:study_id>/images/waiting/", choosing_views.waiting, name="waiting"),
    path("studies/<uuid:study_id>/freeze/", building_views.freezing, name="freeze"),
    path("studies/<uuid:study_id>/invite/", building_views.invite, name="invite"),
    path("studies/<uuid:study_id>/invite/qr.svg", building_views.qr, name="qr"),
    path("studies/<uuid:study_id>/open/", building_views.open_up, name="open"),
    path("studies/<uuid:study_id>/close/", building_views.close, name="close"),
    path("studies/<uuid:study_id>/copy/", building_views.copy, name="copy"),
    path("studies/<uuid:study_id>/delete/", building_views.delete, name="delete"),
    re_path(r"^studies/pictures/(?P<sha256>[0-9a-f]{64})\.png$", choosing_views.picture, name="picture"),
    path("runs/<uuid:run_id>/images/<int:number>/study/", choosing_views.add_picked, name="add_picked"),
    # Taking part
    path("take/<str:code>/", taking_views.take, name="take"),
    path("take/session/<uuid:participant_id>/", taking_views.session, name="session"),
    path("take/session/<uuid:participant_id>/answers/", taking_views.answers, name="answers"),
    path("take/session/<uuid:participant_id>/done/", taking_views.done, name="done"),
    path("take/session/<uuid:participant_id>/withdraw/", taking_views.withdraw, name="withdraw"),
    path("studies/<uuid:study_id>/preview/", taking_views.preview, name="preview"),
    # Results
    path("studies/<uuid:study_id>/results/", results_views.show, name="results"),
    path("studies/<uuid:study_id>/results/part/", results_views.part, name="results_part"),
    path("studies/<uuid:study_id>/results/publish/", results_views.publish, name="results_publish"),
    path("studies/<uuid:study_id>/results/analyse/", results_views.analyse, name="results_analyse"),
    path("studies/<uuid:study_id>/pilot/", pilot_views.pilot, name="pilot"),
    path("studies/<uuid:study_id>/pilot/simulate/", pilot_views.simulate, name="pilot_simulate"),
    path("studies/<uuid:study_id>/pilot/remove/", pilot_views.remove, name="pilot_remove"),
    # Files
    path("studies/<uuid:study_id>/files/", files_views.files, name="files"),
    path("studies/<uuid:study_id>/files/study.zip", files_views.file, name="file"),
    path("studies/<uuid:study_id>/files/outside.csv", files_views.outside, name="outside"),
    path("studies/<uuid:study_id>/files/delete/", files_views.delete, name="delete_data"),
    # Classes
    path("classes/", classroom_views.classes, name="classes"),
    path("classes/new/", classroom_views.new, name="class_new"),
    path("classes/<uuid:classroom_id>/", classroom_views.classroom, name="classroom"),
    path("classes/<uuid:classroom_id>/part/", classroom_views.part, name="class_part"),
    path("classes/<uuid:classroom_id>/start/", classroom_views.start, name="class_start"),
    path("classes/<uuid:classroom_id>/reveal/", classroom_views.reveal, name="class_reveal"),
    path("classes/<uuid:classroom_id>/close/", classroom_views.close, name="class_close"),
    path("classes/<uuid:classroom_id>/images/<int:number>/", classroom_views.slide, name="class_slide"),
    path("classes/<uuid:classroom_id>/qr.svg", classroom_views.qr, name="class_qr"),
    path(
        "classes/<uuid:classroom_id>/seats/<uuid:participant_id>/hide/",
        classroom_views.hide_name,
        name="class_hide_name",
    ),
    path("join/", classroom_views.join, name="join"),
    path("take/session/<uuid:participant_id>/class/", classroom_views.seat, name="class_seat"),
    path("take/session/<uuid:participant_id>/class/part/", classroom_views.seat_part, name="class_seat_part"),
    # Play
    path("play/", play_views.play, name="play"),
    path("play/begin/", play_views.begin, name="play_begin"),
    path("play/<uuid:game_id>/", play_views.game, name="game"),
    path("play/<uuid:game_id>/<int:number>/", play_views.game_round, name="game_round"),
    path("play/<uuid:game_id>/<int:number>/answer/", play_views.answer, name="game_answer"),
    path("play/<uuid:game_id>/<int:number>/picture/", play_views.picture, name="game_picture"),
]
