"""How models/voice.onnx is made: ``python -m training.voice``."""
