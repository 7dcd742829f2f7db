"""What is not a model: who one is, and metrics."""

import datetime

import cloud
from cloud import Case


class Platform(Case):
    def test_identity(self):
        who = cloud.client("sts").get_caller_identity()
        self.assertRegex(who["Account"], r"^\d{12}$")
        self.assertIn(who["Account"], who["Arn"])

    def test_metrics(self):
        metrics = cloud.client("cloudwatch")
        at = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) - datetime.timedelta(minutes=5)
        namespace = cloud.name()
        metrics.put_metric_data(
            Namespace=namespace,
            MetricData=[{"MetricName": "m", "Timestamp": at, "Values": [1.0, 3.0], "Counts": [1.0, 1.0], "Unit": "Count"}],
        )
        statistics = metrics.get_metric_statistics(
            Namespace=namespace,
            MetricName="m",
            StartTime=at,
            EndTime=at + datetime.timedelta(minutes=1),
            Period=60,
            Statistics=["Average", "SampleCount"],
        )
        (point,) = statistics["Datapoints"]
        self.assertEqual((2.0, 2.0, at, "Count"), (point["Average"], point["SampleCount"], point["Timestamp"], point["Unit"]))
        found = list(metrics.get_paginator("list_metrics").paginate(Namespace=namespace))
        self.assertEqual("m", found[0]["Metrics"][0]["MetricName"])
        self.refused(
            "InvalidParameterValue",
            "",
            metrics.put_metric_data,
            Namespace="AWS/Mine",
            MetricData=[{"MetricName": "m", "Value": 1.0}],
        )
