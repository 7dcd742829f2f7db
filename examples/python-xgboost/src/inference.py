"""Serves what train.py left."""

import io
import json
import os

import pandas as pd
import xgboost

from flights import matrix


def model_fn(model_dir):
    booster = xgboost.Booster(model_file=os.path.join(model_dir, "model.json"))
    with open(os.path.join(model_dir, "columns.json")) as f:
        return booster, json.load(f)


def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError("content type %s: send text/csv" % content_type)
    return pd.read_csv(io.StringIO(body), header=None)


def predict_fn(rows, model):
    booster, columns = model
    return booster.predict(matrix(rows, columns))
