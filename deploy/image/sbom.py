"""Write what a folder of packages holds as a bill of materials: ``sbom.py PACKAGES TOOL FILE SERVICE VERSION``.

cyclonedx-bom, which lies in the folder TOOL, looks into environments, so one is made that holds the packages alone.
"""

import json
import runpy
import sys
import tempfile
import venv
from pathlib import Path


def main(packages: str, tool: str, file: str, service: str, version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder)
        [site] = Path(folder).glob("lib/python*/site-packages")
        (site / "packages.pth").write_text(packages)
        sys.path.insert(0, tool)
        sys.argv = [
            "cyclonedx-py",
            "environment",
            "--output-reproducible",
            "--output-file",
            file,
            f"{folder}/bin/python",
        ]
        try:
            runpy.run_module("cyclonedx_py", run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise
    bill = json.loads(Path(file).read_text())
    bill["metadata"]["component"] = {
        "type": "container",
        "bom-ref": "image",
        "name": f"moodstream-{service}",
        "version": version,
    }
    Path(file).write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
