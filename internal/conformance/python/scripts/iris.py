"""A script as users of SageMaker's scikit-learn container write it."""

import argparse
import os
import pathlib

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression


def model_fn(folder):
    return joblib.load(pathlib.Path(folder) / "model.joblib")


def predict_fn(rows, model):
    return model.predict_proba(rows)[:, 1].round(6)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--regularization", type=float, default=1.0)
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    arguments = parser.parse_args()

    data = pd.concat(pd.read_csv(f, header=None) for f in sorted(pathlib.Path(arguments.train).glob("*.csv")))
    model = LogisticRegression(C=arguments.regularization).fit(data.iloc[:, 1:].to_numpy(), data.iloc[:, 0])
    print(f"accuracy={model.score(data.iloc[:, 1:].to_numpy(), data.iloc[:, 0]):.3f};", flush=True)
    joblib.dump(model, pathlib.Path(arguments.model_dir) / "model.joblib")
