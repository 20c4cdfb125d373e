"""Published ViT and BERT weights -> the two encoders of the preset `base`."""
