"""The view for mounting a camera: what the operator sees of it for two minutes, drawn where the frames are."""
