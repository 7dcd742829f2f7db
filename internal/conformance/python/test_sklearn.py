"""A script of one's own in SageMaker's scikit-learn container."""

import contextlib
import io
import pathlib

from sagemaker.deserializers import CSVDeserializer
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearn

import cloud
from cloud import Case

SCRIPTS = str(pathlib.Path(__file__).parent / "scripts")


class ScriptMode(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rows = "".join(f"{int(x > 0)},{x},1\n" for x in range(-10, 11))
        cls.s3.put_object(Bucket=cls.bucket, Key="data/a.csv", Body=rows.encode())

    def test_train_and_serve(self):
        estimator = SKLearn(
            entry_point="iris.py",
            source_dir=SCRIPTS,
            framework_version="1.2-1",
            role=cloud.ROLE,
            instance_type=cloud.INSTANCE,
            hyperparameters={"regularization": 10.0},
            metric_definitions=[{"Name": "accuracy", "Regex": r"accuracy=([0-9.]+);"}],
            output_path=f"s3://{self.bucket}/out",
            code_location=f"s3://{self.bucket}/code",
            sagemaker_session=self.session,
        )
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            estimator.fit({"train": f"s3://{self.bucket}/data/"}, job_name=cloud.name(), logs="All")
        self.assertIn("accuracy=1.000;", shown.getvalue(), "the log is shown while one waits")
        job = estimator.latest_training_job.describe()
        self.assertEqual([("accuracy", 1.0)], [(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]])
        predictor = estimator.deploy(
            1, cloud.INSTANCE, endpoint_name=cloud.name(), serializer=CSVSerializer(), deserializer=CSVDeserializer()
        )
        self.addCleanup(predictor.delete_endpoint)
        self.addCleanup(predictor.delete_model)
        low, high = [float(row[0]) for row in predictor.predict([[-5, 1], [5, 1]])]
        self.assertLess(low, 0.1)
        self.assertGreater(high, 0.9)

    def test_failure_tells_the_exception(self):
        estimator = SKLearn(
            entry_point="iris.py",
            source_dir=SCRIPTS,
            framework_version="1.2-1",
            role=cloud.ROLE,
            instance_type=cloud.INSTANCE,
            hyperparameters={"regularization": "none"},
            output_path=f"s3://{self.bucket}/out",
            sagemaker_session=self.session,
        )
        with self.assertRaisesRegex(Exception, "AlgorithmError: ExecuteUserScriptError"):
            estimator.fit({"train": f"s3://{self.bucket}/data/"}, job_name=cloud.name(), logs=False)
