"""Training with an image of one's own, and tuning."""

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

import cloud
from cloud import Case

METRICS = [{"Name": "score", "Regex": r"score=([0-9.]+)"}]


class Training(Case):
    def estimator(self, **more):
        return Estimator(
            cloud.IMAGE,
            cloud.ROLE,
            instance_count=1,
            instance_type=cloud.INSTANCE,
            output_path=f"s3://{self.bucket}/out",
            sagemaker_session=self.session,
            **more,
        )

    def data(self):
        self.s3.put_object(Bucket=self.bucket, Key="data/a.csv", Body=b"1,2\n")
        return TrainingInput(f"s3://{self.bucket}/data/", content_type="text/csv")

    def test_fit(self):
        estimator = self.estimator(
            hyperparameters={"rounds": 7, "rate": 0.5}, metric_definitions=METRICS, environment={"COLOUR": "red"}
        )
        estimator.fit({"train": self.data()}, job_name=cloud.name(), logs=False)
        self.assertEqual(
            f"s3://{self.bucket}/out/{estimator.latest_training_job.name}/output/model.tar.gz", estimator.model_data
        )
        job = estimator.latest_training_job.describe()
        self.assertEqual("Completed", job["TrainingJobStatus"])
        self.assertEqual([("score", 0.75)], [(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]])
        self.assertEqual({"rounds": "7", "rate": "0.5"}, job["HyperParameters"])
        again = Estimator.attach(estimator.latest_training_job.name, sagemaker_session=self.session)
        self.assertEqual(estimator.model_data, again.model_data)

    def test_failure(self):
        estimator = self.estimator(hyperparameters={"do": "fail"})
        with self.assertRaisesRegex(Exception, "AlgorithmError: the label has one class, exit code: 7"):
            estimator.fit(job_name=cloud.name(), logs=False)

    def test_stop(self):
        estimator = self.estimator(hyperparameters={"do": "wait"})
        estimator.fit(job_name=cloud.name(), wait=False)
        estimator.latest_training_job.stop()
        waiter = self.sm.get_waiter("training_job_completed_or_stopped")
        job = estimator.latest_training_job.name
        waiter.wait(TrainingJobName=job, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        self.assertEqual("Stopped", self.sm.describe_training_job(TrainingJobName=job)["TrainingJobStatus"])

    def test_name_is_taken(self):
        estimator = self.estimator()
        job = cloud.name()
        estimator.fit(job_name=job, logs=False)
        with self.assertRaises(self.sm.exceptions.ResourceInUse):
            estimator.fit(job_name=job, logs=False)

    def test_tune(self):
        tuner = HyperparameterTuner(
            self.estimator(),
            "score",
            {"rate": ContinuousParameter(0.01, 0.2), "rounds": IntegerParameter(1, 9)},
            metric_definitions=METRICS,
            max_jobs=3,
            max_parallel_jobs=2,
            strategy="Random",
        )
        tuner.fit({"train": self.data()}, job_name=cloud.name()[-32:])
        best = tuner.best_training_job()
        self.assertIn(best, [s["TrainingJobName"] for s in self.trials(tuner)])
        self.assertEqual(3, len(self.trials(tuner)))
        frame = tuner.analytics().dataframe()
        self.assertEqual([0.75] * 3, list(frame["FinalObjectiveValue"]))
        self.assertEqual("Completed", tuner.describe()["HyperParameterTuningJobStatus"])
        self.assertTrue(tuner.best_estimator().model_data.endswith(f"/{best}/output/model.tar.gz"))

    def trials(self, tuner):
        return self.sm.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=tuner.latest_tuning_job.name
        )["TrainingJobSummaries"]
