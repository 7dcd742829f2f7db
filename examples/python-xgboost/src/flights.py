"""What training and serving have in common: rows as XGBoost takes them."""

import pandas as pd
import xgboost


def matrix(features, columns, label=None):
    """Features as a matrix. columns gives each column's name and, for text, its levels."""
    features = features.set_axis(list(columns), axis=1)
    typed = {
        name: pd.Categorical(features[name], categories=levels) if levels else features[name].astype(float)
        for name, levels in columns.items()
    }
    return xgboost.DMatrix(pd.DataFrame(typed), label=label, enable_categorical=True)
