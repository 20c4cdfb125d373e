"""The image gate: pictures the model is not for, made and taken, and the gate that is fitted to them."""
