"""Addresses of galleries, images and people. Each room of views lists its own."""

from django.urls import path

from fooling_web.galleries import browsing, collecting, examination_views, graph_views, images, people, saying

app_name = "galleries"

urlpatterns = [
    path("gallery/", browsing.gallery, name="gallery"),
    path("gallery/neighbours/", browsing.neighbours, name="neighbours"),
    path("gallery/views/", browsing.save_view, name="save_view"),
    path("gallery/views/<int:pk>/delete/", browsing.delete_view, name="delete_view"),
    path("gallery/class-options/", browsing.class_options, name="class_options"),
    path("gallery/classes/", browsing.class_list, name="classes"),
    path("gallery/classes/<slug:slug>/", browsing.class_detail, name="class"),
    path("images/<uuid:run_id>/<int:number>/", images.image, name="image"),
    path("images/<uuid:run_id>/<int:number>/children/", images.children, name="children"),
    path(
        "images/<uuid:run_id>/<int:number>/picture-<int:size>.<slug:ending>", images.picture, name="picture"
    ),
    path("images/<uuid:run_id>/<int:number>/card.png", images.card, name="card"),
    path("images/<uuid:run_id>/<int:number>/embed/", images.embed, name="embed"),
    path("images/<uuid:run_id>/<int:number>/provenance.json", images.provenance, name="provenance"),
    path("images/<uuid:run_id>/<int:number>/seen/", images.seen, name="seen"),
    path("images/<uuid:run_id>/<int:number>/said/", saying.said, name="said"),
    path("images/<uuid:run_id>/<int:number>/rating/", saying.rating, name="rating"),
    path("images/<uuid:run_id>/<int:number>/favourite/", saying.favourite, name="favourite"),
    path("images/<uuid:run_id>/<int:number>/collect/", saying.collect, name="collect"),
    path("images/<uuid:run_id>/<int:number>/tags/", saying.tags, name="tags"),
    path("images/<uuid:run_id>/<int:number>/tags/<int:tagging>/remove/", saying.untag, name="untag"),
    path("images/<uuid:run_id>/<int:number>/comments/", saying.comments, name="comments"),
    path("images/<uuid:run_id>/<int:number>/title/", saying.title, name="title"),
    path("images/<uuid:run_id>/<int:number>/report/", saying.report_image, name="report"),
    path("images/<uuid:run_id>/<int:number>/graph/", graph_views.graph, name="graph"),
    path("images/<uuid:run_id>/<int:number>/graph/nodes.webp", graph_views.nodes, name="graph_nodes"),
    path(
        "images/<uuid:run_id>/<int:number>/graph/weight/<int:source>-<int:target>/",
        graph_views.weight,
        name="graph_weight",
    ),
    path(
        "images/<uuid:run_id>/<int:number>/graph/weight/<int:source>-<int:target>/pictures.webp",
        graph_views.weight_pictures,
        name="graph_pictures",
    ),
    path(
        "images/<uuid:run_id>/<int:number>/graph/weight/<int:source>-<int:target>/answers/",
        graph_views.weight_answers,
        name="graph_answers",
    ),
    path("images/<uuid:run_id>/<int:number>/opinions/", examination_views.opinions, name="opinions"),
    path("images/<uuid:run_id>/<int:number>/crops/", examination_views.crops, name="crops"),
    path("images/<uuid:run_id>/<int:number>/robustness/", examination_views.robustness, name="robustness"),
    path("images/<uuid:run_id>/<int:number>/saliency/", examination_views.saliency, name="saliency"),
    path("comments/<int:pk>/delete/", saying.delete_comment, name="comment_delete"),
    path("comments/<int:pk>/hide/", saying.hide_comment, name="comment_hide"),
    path("comments/<int:pk>/report/", saying.report_comment, name="comment_report"),
    path("tags/suggestions/", saying.suggestions, name="tag_suggestions"),
    path("people/<str:username>/", people.person, name="person"),
    path("people/<str:username>/collections/", collecting.collections, name="collections"),
    path("favourites/", people.favourites, name="favourites"),
    path("collections/", collecting.all_collections, name="all_collections"),
    path("collections/new/", collecting.new_collection, name="collection_new"),
    path("collections/<int:pk>/", collecting.collection, name="collection"),
    path("collections/<int:pk>/edit/", collecting.edit_collection, name="collection_edit"),
    path("collections/<int:pk>/delete/", collecting.delete_collection, name="collection_delete"),
    path("collections/<int:pk>/images/<int:item>/", collecting.collected, name="collected"),
]
