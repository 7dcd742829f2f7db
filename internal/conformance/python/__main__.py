"""Runs the cases and prints how many held.

They are the paths that users of boto3 and of the SageMaker Python SDK take,
against the cloud that the AWS_* variables name. CONFORMANCE_IMAGE is the image of the
suite in Go: its container trains and serves.
"""

import logging
import sys
import unittest
from pathlib import Path

import cloud

if __name__ == "__main__":
    cases = unittest.defaultTestLoader.discover(str(Path(__file__).parent))
    if len(sys.argv) > 1:
        cases = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
    logging.disable(logging.WARNING)
    with cloud.alone():
        result = unittest.TextTestRunner(verbosity=2, buffer=True).run(cases)
    print(f"python: {result.testsRun} cases, {cloud.answers.count} answers of known shape")
    sys.exit(not result.wasSuccessful() or not result.testsRun)
