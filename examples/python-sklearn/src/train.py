"""Trains a logistic regression, and serves it. An ordinary script-mode project."""

import argparse
import glob
import io
import os

import joblib
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def read(folder):
    """The label, which is the first column, and the features of all files."""
    rows = pd.concat(pd.read_csv(file) for file in sorted(glob.glob(os.path.join(folder, "*.csv"))))
    features = rows.iloc[:, 1:]
    # Any number may be missing when the model serves, which integers cannot be.
    return rows.iloc[:, 0], features.astype({c: float for c in features.select_dtypes("number")})


def train(args):
    label, features = read(args.train)
    text = make_column_selector(dtype_include=object)
    numbers = make_column_selector(dtype_exclude=object)
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", min_frequency=args.min_frequency), text),
            (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        ),
        LogisticRegression(C=args.strength, max_iter=500),
    )
    model.fit(features, label)
    label, unseen = read(args.validation)
    print("validation-auc=%.6f" % roc_auc_score(label, model.predict_proba(unseen)[:, 1]))
    joblib.dump({"model": model, "types": features.dtypes.to_dict()}, os.path.join(args.model_dir, "model.joblib"))


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError("content type %s: send text/csv" % content_type)
    return pd.read_csv(io.StringIO(body), header=None)


def predict_fn(rows, loaded):
    rows.columns = list(loaded["types"])
    return loaded["model"].predict_proba(rows.astype(loaded["types"]))[:, 1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--min-frequency", type=int, default=20)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--validation", default=os.environ.get("SM_CHANNEL_VALIDATION"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    train(parser.parse_args())
