"""Trained classifiers, behind one door: images in [0, 1] in, confidences out.

Start with `models_zoo.registry`, which is importable without torch. The zoo knows neither the web nor
evolution.
"""
