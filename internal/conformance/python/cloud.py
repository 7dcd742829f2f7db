"""What all cases share: a session, a bucket, and names."""

import contextlib
import itertools
import os
import time
import unittest
from unittest import mock

import boto3
import sagemaker.session
from sagemaker.session import Session
from sagemaker.telemetry import telemetry_logging

import shapes

IMAGE = os.environ["CONFORMANCE_IMAGE"]
ROLE = os.environ["CONFORMANCE_ROLE"]
PREFIX = os.environ["CONFORMANCE_PREFIX"]
INSTANCE = "ml.m5.large"

answers = shapes.Answers()

boto = boto3.Session()
answers.watch(boto)

_numbers = itertools.count(1)


def name():
    """A name that nothing else has."""
    return f"{PREFIX}-py-{next(_numbers)}"


def client(service):
    return boto.client(service)


class _Clock:
    """The module time, with waits of the SDK cut short: they are made for jobs of minutes."""

    def __getattr__(self, attribute):
        return getattr(time, attribute)

    @staticmethod
    def sleep(seconds):
        time.sleep(min(seconds, 0.1))


def pause():
    """A moment between two looks."""
    _Clock.sleep(1)


@contextlib.contextmanager
def alone():
    """The SDK without its long waits, and without what it tells its maker about every call."""
    with (
        mock.patch.object(sagemaker.session, "time", _Clock()),
        mock.patch.object(telemetry_logging, "_send_telemetry_request"),
    ):
        yield


class Case(unittest.TestCase):
    """A case with a bucket of its own; what it makes is deleted when it ends."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.bucket = name()
        cls.s3 = client("s3")
        cls.sm = client("sagemaker")
        cls.s3.create_bucket(Bucket=cls.bucket)
        cls.addClassCleanup(cls._empty)
        cls.session = Session(boto_session=boto, default_bucket=cls.bucket)

    @classmethod
    def _empty(cls):
        bucket = boto.resource("s3").Bucket(cls.bucket)
        bucket.objects.all().delete()
        bucket.delete()

    def refused(self, code, message, call, **arguments):
        """The call is refused with AWS's code and a part of its message."""
        with self.assertRaises(Exception) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(code, error["Code"], error)
        self.assertIn(message, error.get("Message", ""))
        return caught.exception

    def forgive(self, call, **arguments):
        """Deletes at the end what may be deleted by then."""

        def attempt():
            with contextlib.suppress(boto3.exceptions.botocore.exceptions.ClientError):
                call(**arguments)

        self.addCleanup(attempt)
