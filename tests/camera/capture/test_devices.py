"""Webcams as Linux lists them."""

from pathlib import Path

from services.camera.capture.devices import devices


def test_devices_are_named_and_faults_told(tmp_path: Path) -> None:
    system, dev = tmp_path / "sys", tmp_path / "dev"
    dev.mkdir()
    for number, (index, name) in {0: ("0", "HD Webcam"), 1: ("1", "HD Webcam"), 2: ("0", "Capture card")}.items():
        place = system / f"video{number}"
        place.mkdir(parents=True)
        (place / "index").write_text(index + "\n")
        (place / "name").write_text(name + "\n")
    (dev / "video0").touch()
    first, second = devices(system, dev)
    assert (first.address, first.name, first.fault) == ("webcam:0", "HD Webcam", None)
    assert (second.address, second.name) == ("webcam:2", "Capture card")
    assert second.fault is not None
    assert "--device" in second.fault
