"""Trains gradient-boosted trees. An ordinary script-mode project."""

import argparse
import glob
import json
import os

import pandas as pd
import xgboost

from flights import matrix


def read(folder):
    """The label, which is the first column, and the features of all files."""
    rows = pd.concat([pd.read_csv(file) for file in sorted(glob.glob(os.path.join(folder, "*.csv")))], ignore_index=True)
    return rows.iloc[:, 0], rows.iloc[:, 1:]


def main(args):
    label, features = read(args.train)
    columns = {
        name: sorted(values.dropna().unique()) if values.dtype == object else None for name, values in features.items()
    }
    train = matrix(features, columns, label)
    label, features = read(args.validation)
    validation = matrix(features, columns, label)
    booster = xgboost.train(
        {"objective": "binary:logistic", "eval_metric": "auc", "tree_method": "hist", "max_depth": args.max_depth, "eta": args.eta, "seed": 1},
        train, args.rounds, evals=[(train, "train"), (validation, "validation")], early_stopping_rounds=10, verbose_eval=10,
    )
    booster.save_model(os.path.join(args.model_dir, "model.json"))
    with open(os.path.join(args.model_dir, "columns.json"), "w") as f:
        json.dump(columns, f)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--max_depth", type=int, default=6)
    parser.add_argument("--eta", type=float, default=0.1)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--validation", default=os.environ.get("SM_CHANNEL_VALIDATION"))
    parser.add_argument("--model_dir", default=os.environ.get("SM_MODEL_DIR"))
    main(parser.parse_args())
