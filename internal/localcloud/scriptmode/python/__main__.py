"""Entry point of an image in script mode: <folder> train|serve."""

import sys

from scriptmode import serving, training

ACTS = {"train": training.main, "serve": serving.main}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ACTS:
        sys.exit("arguments are %s; give train or serve" % sys.argv[1:])
    sys.exit(ACTS[sys.argv[1]]())
