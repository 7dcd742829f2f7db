"""The user's inference functions, and what stands in for those that are missing."""

import importlib
import os
import sys

from scriptmode import coding, environment


class Refusal(Exception):
    """A request that was understood and cannot be answered; status is HTTP's."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Handler:
    """A loaded model with the functions of the user's module around it."""

    def __init__(self):
        program = os.environ.get("SAGEMAKER_PROGRAM") or "inference.py"
        # A project may bring modules next to its program, in folders too.
        sys.path.insert(0, environment.path("code"))
        sys.path.insert(0, os.path.dirname(environment.path("code", program)))
        if not os.path.isfile(environment.path("code", program)):
            raise FileNotFoundError(
                "SAGEMAKER_PROGRAM is %r and there is no such file in the source; set it, and SAGEMAKER_SUBMIT_DIRECTORY,"
                " or put the source into the folder code of model.tar.gz" % program)
        module = importlib.import_module(os.path.basename(program).removesuffix(".py"))
        if not hasattr(module, "model_fn"):
            raise NotImplementedError("%s has no model_fn: define model_fn(model_dir), which returns the loaded model" % program)
        self.transform_fn = getattr(module, "transform_fn", None)
        own = [f for f in ("input_fn", "predict_fn", "output_fn") if hasattr(module, f)]
        if self.transform_fn and own:
            raise ValueError("%s has transform_fn as well as %s: transform_fn does their work, keep one or the other"
                             % (program, ", ".join(own)))
        self.input_fn = getattr(module, "input_fn", default_input)
        self.predict_fn = getattr(module, "predict_fn", default_predict)
        self.output_fn = getattr(module, "output_fn", coding.encode)
        self.model = module.model_fn(environment.path("model"))

    def answer(self, body, content_type, accept):
        """The answer to a request: its body and content type."""
        content_type = content_type.split(";")[0].strip() or coding.JSON
        if accept in ("", "*/*"):
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", coding.JSON)
        if content_type in coding.TEXT:
            try:
                body = body.decode("utf-8")
            except UnicodeDecodeError as e:
                raise Refusal(400, "the body is not UTF-8: %s" % e) from e
        if self.transform_fn:
            result = self.transform_fn(self.model, body, content_type, accept)
        else:
            result = self.in_steps(body, content_type, accept)
        return result if isinstance(result, tuple) else (result, accept)

    def in_steps(self, body, content_type, accept):
        try:
            data = self.input_fn(body, content_type)
        except coding.Unsupported as e:
            raise Refusal(415, str(e)) from e
        prediction = self.predict_fn(data, self.model)
        try:
            return self.output_fn(prediction, accept)
        except coding.Unsupported as e:
            raise Refusal(406, str(e)) from e


def default_input(body, content_type):
    """Rows as the framework's own container hands them to predict_fn."""
    data = coding.decode(body, content_type)
    if os.environ.get("SCRIPTMODE_FRAMEWORK") == "xgboost":
        import xgboost
        return xgboost.DMatrix(data)
    if content_type in coding.TEXT and getattr(data, "dtype", None) is not None and data.dtype.kind in "biuf":
        return data.astype("float32")
    return data


def default_predict(data, model):
    """What the model predicts; an xgboost.Booster answers by its best iterations only."""
    if hasattr(model, "inplace_predict") and hasattr(data, "num_row"):
        return model.predict(data, validate_features=False)
    return model.predict(data)
