# Compares two Parquet files with Evidently's DataDriftPreset, and prints the
# rows of both, the CPU seconds that reading and comparing took and the most memory.
import json
import sys
import time

import pandas
from evidently import Dataset, DataDefinition, Report
from evidently.presets import DataDriftPreset


def megabytes():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6


begin = time.process_time()
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
print(json.dumps({"rows": len(reference) + len(current), "cpu": time.process_time() - begin, "megabytes": megabytes()}))
