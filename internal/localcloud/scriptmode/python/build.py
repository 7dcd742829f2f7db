"""Builds a virtual environment: build.py FOLDER [REQUIREMENTS FILE]...

It returns when the environment is complete and on disk. It is stopped by
SIGTERM, and leaves what it has then for its caller to remove.
"""

import os
import subprocess
import sys
import venv


def main(folder, *requirements):
    print("building the Python environment", folder, flush=True)
    venv.create(folder, with_pip=True, symlinks=True)
    python = os.path.join(folder, "bin", "python")
    for file in requirements:
        # The file's own folder is where its relative paths begin.
        subprocess.run(
            [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", os.path.basename(file)],
            cwd=os.path.dirname(file), check=True,
        )
    os.sync()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
