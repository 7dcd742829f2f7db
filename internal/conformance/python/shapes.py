"""Holds answers against the models that botocore has of AWS's services."""

import json

from botocore.eventstream import EventStream
from botocore.validate import ParamValidator


class Answers:
    """Watches the answers of clients: each must have the shape that AWS declares.

    botocore itself drops members that it does not know and never looks at what
    is required; here both are errors.
    """

    def __init__(self):
        self.count = 0

    def watch(self, session):
        session.events.register("after-call.*", self._check)

    def _check(self, http_response, parsed, model, **_):
        if http_response.status_code >= 300 or model.output_shape is None:
            return
        members = {k: v for k, v in parsed.items() if k != "ResponseMetadata"}
        _amend(model.name, members)
        wrong = _wrong(model.output_shape, _comparable(members), model.name)
        report = ParamValidator().validate(_comparable(members), model.output_shape)
        if report.has_errors():
            wrong.append(f"{model.name}: {report.generate_report()}")
        if model.service_model.protocol == "json" and http_response.content:
            wrong += _unknown(model.output_shape, json.loads(http_response.content), model.name)
        if wrong:
            raise AssertionError("an answer of another shape than AWS declares:\n" + "\n".join(wrong))
        self.count += 1


def _amend(operation, members):
    """Puts in what AWS declares as required and leaves out itself."""
    if operation == "DescribeModelPackage":  # of a version in a group
        members.setdefault("ModelPackageName", "none")
    if operation == "DescribeTrainingJob":  # as long as there is no model
        members["ModelArtifacts"] = {"S3ModelArtifacts": "none"} | members["ModelArtifacts"]


def _comparable(members):
    """A stream that is not read yet stands for its bytes, or for its events."""
    return {k: {} if isinstance(v, EventStream) else b"" if hasattr(v, "read") else v for k, v in members.items()}


def _wrong(shape, value, path):
    """Values that an enum does not have."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return [e for k, v in value.items() for e in _wrong(shape.members[k], v, f"{path}.{k}")]
    if shape.type_name == "list" and isinstance(value, list):
        return [e for i, v in enumerate(value) for e in _wrong(shape.member, v, f"{path}[{i}]")]
    if shape.type_name == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        return [f"{path}: {value!r} is none of {shape.enum}"]
    return []


def _unknown(shape, value, path):
    """Members of a JSON answer that the shape does not have."""
    if shape.type_name == "structure" and isinstance(value, dict):
        wrong = [f"{path}.{k} is not declared" for k in value if k not in shape.members]
        return wrong + [e for k, v in value.items() if k in shape.members for e in _unknown(shape.members[k], v, f"{path}.{k}")]
    if shape.type_name == "list" and isinstance(value, list):
        return [e for i, v in enumerate(value) for e in _unknown(shape.member, v, f"{path}[{i}]")]
    if shape.type_name == "map" and isinstance(value, dict):
        return [e for k, v in value.items() for e in _unknown(shape.value, v, f"{path}.{k}")]
    return []
