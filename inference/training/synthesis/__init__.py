"""Radiographs of no child: a small generative model fitted to the training films, for the demo's pictures."""
