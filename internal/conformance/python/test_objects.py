"""Data in S3, by boto3 and by the SDK's own helpers."""

import io
import pathlib
import tempfile

from sagemaker.s3 import S3Downloader, S3Uploader

from cloud import Case


class Objects(Case):
    def test_upload_data(self):
        with tempfile.TemporaryDirectory() as folder:
            for i in range(2):
                (pathlib.Path(folder) / f"{i}.csv").write_text(f"{i},1\n")
            uri = self.session.upload_data(folder, key_prefix="data")
        self.assertEqual(f"s3://{self.bucket}/data", uri)
        self.assertEqual([f"{uri}/0.csv", f"{uri}/1.csv"], sorted(S3Downloader.list(uri, sagemaker_session=self.session)))
        self.assertEqual("1,1\n", S3Downloader.read_file(f"{uri}/1.csv", sagemaker_session=self.session))

    def test_upload_string(self):
        uri = S3Uploader.upload_string_as_file_body("text", f"s3://{self.bucket}/text", sagemaker_session=self.session)
        self.assertEqual("text", S3Downloader.read_file(uri, sagemaker_session=self.session))

    def test_transfer_in_parts(self):
        body = bytes(range(256)) * 40960  # 10 MiB: boto3 sends it in parts
        self.s3.upload_fileobj(io.BytesIO(body), self.bucket, "large")
        self.assertTrue(self.s3.head_object(Bucket=self.bucket, Key="large")["ETag"].endswith('-2"'))
        back = io.BytesIO()
        self.s3.download_fileobj(self.bucket, "large", back)
        self.assertEqual(body, back.getvalue())

    def test_pages(self):
        for i in range(5):
            self.s3.put_object(Bucket=self.bucket, Key=f"pages/{i}", Body=b"x")
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix="pages/", PaginationConfig={"PageSize": 2}
        )
        self.assertEqual([2, 2, 1], [len(p["Contents"]) for p in pages])

    def test_refusals(self):
        self.refused("NoSuchKey", "", self.s3.get_object, Bucket=self.bucket, Key="nowhere")
        self.refused("404", "Not Found", self.s3.head_object, Bucket=self.bucket, Key="nowhere")
        self.s3.put_object(Bucket=self.bucket, Key="once", Body=b"x", IfNoneMatch="*")
        self.refused(
            "PreconditionFailed", "", self.s3.put_object, Bucket=self.bucket, Key="once", Body=b"y", IfNoneMatch="*"
        )
        with self.assertRaises(self.s3.exceptions.NoSuchBucket):
            self.s3.list_objects_v2(Bucket=self.bucket + "-nowhere")
