"""From a model to answers: endpoints, batch transform, the registry."""

from sagemaker.async_inference import AsyncInferenceConfig, WaiterConfig
from sagemaker.deserializers import StringDeserializer
from sagemaker.exceptions import AsyncInferenceModelError
from sagemaker.model import Model
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.transformer import Transformer

import cloud
from cloud import Case
from models import archive


class Serving(Case):
    def model(self, content="m"):
        return Model(
            cloud.IMAGE,
            archive(self, content),
            cloud.ROLE,
            predictor_cls=lambda endpoint, session: Predictor(
                endpoint, session, serializer=CSVSerializer(), deserializer=StringDeserializer()
            ),
            env={"COLOUR": "blue"},
            name=cloud.name(),
            sagemaker_session=self.session,
        )

    def deploy(self, model, **more):
        predictor = model.deploy(1, cloud.INSTANCE, endpoint_name=cloud.name(), **more)
        self.forgive(self.sm.delete_endpoint, EndpointName=predictor.endpoint_name)
        self.forgive(self.sm.delete_endpoint_config, EndpointConfigName=predictor.endpoint_name)
        self.forgive(self.sm.delete_model, ModelName=model.name)
        return predictor

    def test_deploy_and_predict(self):
        model = self.model()
        predictor = self.deploy(model)
        self.assertEqual("m<1,2>application/json\nm<3,4>application/json\n", predictor.predict([[1, 2], [3, 4]]))
        self.assertEqual("InService", self.sm.describe_endpoint(EndpointName=predictor.endpoint_name)["EndpointStatus"])
        predictor.delete_endpoint(delete_endpoint_config=True)
        model.delete_model()
        waiter = self.sm.get_waiter("endpoint_deleted")
        waiter.wait(EndpointName=predictor.endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        self.refused(
            "ValidationException", "Could not find model", self.sm.describe_model, ModelName=model.name
        )

    def test_model_refuses(self):
        predictor = self.deploy(self.model())
        error = self.refused(
            "ModelError",
            'Received client error (400) from primary with message "a bad row',
            cloud.client("sagemaker-runtime").invoke_endpoint,
            EndpointName=predictor.endpoint_name,
            Body=b"bad",
        )
        self.assertEqual(400, error.response["OriginalStatusCode"])

    def test_answers_later(self):
        config = AsyncInferenceConfig(
            output_path=f"s3://{self.bucket}/answers", failure_path=f"s3://{self.bucket}/failures"
        )
        predictor = self.deploy(self.model(), async_inference_config=config)
        self.s3.put_object(Bucket=self.bucket, Key="rows.csv", Body=b"1\n2\n")
        self.s3.put_object(Bucket=self.bucket, Key="bad.csv", Body=b"bad")
        waiter = WaiterConfig(max_attempts=60, delay=1)
        answer = predictor.predict_async(input_path=f"s3://{self.bucket}/rows.csv")
        self.assertEqual("m<1>application/json\nm<2>application/json\n", answer.get_result(waiter))
        answer = predictor.predict_async(input_path=f"s3://{self.bucket}/bad.csv")
        with self.assertRaises(AsyncInferenceModelError) as raised:
            answer.get_result(waiter)
        self.assertIn("a bad row", str(raised.exception))

    def test_streams(self):
        predictor = self.deploy(self.model())
        out = cloud.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
            EndpointName=predictor.endpoint_name, Body=b"1\n2\n", ContentType="text/csv", Accept="text/csv"
        )
        parts = [event["PayloadPart"]["Bytes"] for event in out["Body"]]
        self.assertEqual(b"m<1>text/csv\nm<2>text/csv\n", b"".join(parts))
        self.assertEqual("text/csv", out["ContentType"])

    def test_update(self):
        predictor = self.deploy(self.model("old"))
        new = self.model("new")
        new.create(cloud.INSTANCE)
        self.forgive(self.sm.delete_model, ModelName=new.name)
        predictor.update_endpoint(
            initial_instance_count=1, instance_type=cloud.INSTANCE, model_name=new.name, wait=True
        )
        self.assertEqual("new<1>application/json\n", predictor.predict("1"))

    def test_capture(self):
        where = f"s3://{self.bucket}/captured"
        predictor = self.deploy(
            self.model(), data_capture_config=DataCaptureConfig(True, 100, where, sagemaker_session=self.session)
        )
        predictor.predict("1")
        config = self.sm.describe_endpoint(EndpointName=predictor.endpoint_name)["DataCaptureConfig"]
        self.assertEqual((True, "Started", 100, where), tuple(config[k] for k in ("EnableCapture", "CaptureStatus", "CurrentSamplingPercentage", "DestinationS3Uri")))
        self.s3.get_waiter("bucket_exists").wait(Bucket=self.bucket)
        found = self.await_objects("captured/")
        self.assertIn(f"captured/{predictor.endpoint_name}/AllTraffic/", found[0])

    def test_scaling(self):
        predictor = self.deploy(self.model())
        scaling = cloud.client("application-autoscaling")
        target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{predictor.endpoint_name}/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        arn = scaling.register_scalable_target(MinCapacity=2, MaxCapacity=3, Tags={"team": "a"}, **target)["ScalableTargetARN"]
        self.assertEqual({"team": "a"}, scaling.list_tags_for_resource(ResourceARN=arn)["Tags"])
        policy = scaling.put_scaling_policy(
            PolicyName="SageMakerEndpointInvocationScalingPolicy",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 70.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                "ScaleInCooldown": 300,
                "ScaleOutCooldown": 60,
            },
            **target,
        )
        described = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=target["ResourceId"])
        self.assertEqual(policy["Alarms"], described["ScalingPolicies"][0]["Alarms"])
        for _ in range(300):
            pages = scaling.get_paginator("describe_scaling_activities").paginate(**target)
            activities = [a for page in pages for a in page["ScalingActivities"]]
            if activities and activities[0]["StatusCode"] == "Successful":
                break
            cloud.pause()
        self.assertEqual("minimum capacity was set to 2", activities[0]["Cause"])
        variant = self.sm.describe_endpoint(EndpointName=predictor.endpoint_name)["ProductionVariants"][0]
        self.assertEqual(2, variant["CurrentInstanceCount"])
        scaling.delete_scaling_policy(PolicyName="SageMakerEndpointInvocationScalingPolicy", **target)
        scaling.deregister_scalable_target(**target)
        with self.assertRaises(scaling.exceptions.ObjectNotFoundException):
            scaling.deregister_scalable_target(**target)
        self.refused(
            "ObjectNotFoundException", "No scalable target registered", scaling.put_scaling_policy,
            PolicyName="p", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 70.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
            **target,
        )

    def await_objects(self, prefix):
        for _ in range(300):
            found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
            if found:
                return [o["Key"] for o in found]
            cloud.pause()
        self.fail(f"nothing below {prefix}")

    def test_transform(self):
        model = self.model()
        model.create(cloud.INSTANCE)
        self.forgive(self.sm.delete_model, ModelName=model.name)
        self.s3.put_object(Bucket=self.bucket, Key="in/a.csv", Body=b"1\n2\n")
        transformer = Transformer(
            model.name,
            1,
            cloud.INSTANCE,
            strategy="MultiRecord",
            assemble_with="Line",
            accept="text/csv",
            output_path=f"s3://{self.bucket}/transformed",
            sagemaker_session=self.session,
        )
        transformer.transform(
            f"s3://{self.bucket}/in/", content_type="text/csv", split_type="Line", job_name=cloud.name(), wait=False
        )
        waiter = self.sm.get_waiter("transform_job_completed_or_stopped")
        waiter.wait(TransformJobName=transformer.latest_transform_job.name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        body = self.s3.get_object(Bucket=self.bucket, Key="transformed/a.csv.out")["Body"].read()
        self.assertEqual(b"m<1>text/csv\nm<2>text/csv\n", body)

    def test_register(self):
        group = cloud.name()
        self.sm.create_model_package_group(ModelPackageGroupName=group)
        self.addCleanup(self.sm.delete_model_package_group, ModelPackageGroupName=group)
        package = self.model().register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=[cloud.INSTANCE],
            transform_instances=[cloud.INSTANCE],
            model_package_group_name=group,
            approval_status="PendingManualApproval",
            customer_metadata_properties={"release": "1"},
        )
        self.addCleanup(self.sm.delete_model_package, ModelPackageName=package.model_package_arn)
        self.assertTrue(package.model_package_arn.endswith(f":model-package/{group}/1"))
        self.sm.update_model_package(ModelPackageArn=package.model_package_arn, ModelApprovalStatus="Approved")
        pages = self.sm.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        (found,) = [p for page in pages for p in page["ModelPackageSummaryList"]]
        self.assertEqual(("Approved", 1), (found["ModelApprovalStatus"], found["ModelPackageVersion"]))
        package.name = cloud.name()
        package.predictor_cls = Predictor
        predictor = package.deploy(1, cloud.INSTANCE, endpoint_name=cloud.name())
        self.addCleanup(package.delete_model)
        self.addCleanup(predictor.delete_endpoint)
        self.assertEqual(b"m<1>*/*\n", predictor.predict(b"1"))
