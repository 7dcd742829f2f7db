"""A script that prepares data, in SageMaker's scikit-learn container."""

import pathlib

from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.sklearn import SKLearnProcessor

import cloud
from cloud import Case

SCRIPT = pathlib.Path(__file__).parent / "scripts" / "prepare.py"


class Processing(Case):
    def test_run(self):
        self.s3.put_object(Bucket=self.bucket, Key="raw/a.csv", Body=b"1\n2\n3\n4\n")
        processor = SKLearnProcessor(
            framework_version="1.2-1",
            role=cloud.ROLE,
            instance_type=cloud.INSTANCE,
            instance_count=1,
            sagemaker_session=self.session,
        )
        processor.run(
            code=str(SCRIPT),
            inputs=[ProcessingInput(f"s3://{self.bucket}/raw/", "/opt/ml/processing/input")],
            outputs=[ProcessingOutput("/opt/ml/processing/train", destination=f"s3://{self.bucket}/train", output_name="train")],
            arguments=["--share", "0.5"],
            job_name=cloud.name(),
            logs=False,
        )
        job = processor.latest_job.describe()
        self.assertEqual(("Completed", "2 rows"), (job["ProcessingJobStatus"], job["ExitMessage"]))
        body = self.s3.get_object(Bucket=self.bucket, Key="train/train.csv")["Body"].read()
        self.assertEqual(b"1\n2\n", body)
