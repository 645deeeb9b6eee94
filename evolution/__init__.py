"""The paper, numerically: images evolve under MAP-Elites, one champion per class.

This package knows neither the web nor any classifier. It is handed a callable (images in [0, 1] in, confidences
out) and yields one generation after another. Source throughout: Nguyen, Yosinski and Clune, "Deep Neural Networks
are Easily Fooled", CVPR 2015, its supplement and its released code.
"""
