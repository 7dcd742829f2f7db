# Compares two Parquet files with Evidently's DataDriftPreset, and prints the
# rows of both and the seconds that reading and comparing took.
import json
import sys
import time

import pandas
from evidently import Dataset, DataDefinition, Report
from evidently.presets import DataDriftPreset

begin = time.monotonic()
reference, current = (pandas.read_parquet(path).drop(columns="ts") for path in sys.argv[1:3])
definition = DataDefinition(
    numerical_columns=["user_id", "amount", "age", "score", "lat", "dist", "label"],
    categorical_columns=["country", "device"],
)
result = Report([DataDriftPreset()]).run(
    current_data=Dataset.from_pandas(current, data_definition=definition),
    reference_data=Dataset.from_pandas(reference, data_definition=definition),
).dict()
assert len(result["metrics"]) == 10, result
print(json.dumps({"rows": len(reference) + len(current), "seconds": time.monotonic() - begin}))
