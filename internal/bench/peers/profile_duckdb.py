# Profiles every column of a CSV or Parquet file with DuckDB on two threads, in
# one query, and prints the rows, the CPU seconds that the query took and the most
# memory. It takes of each column the count, the missing values and
# approx_count_distinct; of numbers and times min, max and nine approx_quantile; of
# numbers mean and standard deviation; of texts the lengths and approx_top_k of 100.
import json
import resource
import sys

import duckdb

path = sys.argv[1]
RANKS = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def megabytes():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6


db = duckdb.connect()
db.execute("SET threads TO 2")
db.execute("SET enable_progress_bar TO false")
table = f"read_parquet('{path}')" if path.endswith(".parquet") else f"read_csv('{path}')"

begin = cpu()
figures = ["count(*)"]
for name, kind in [(r[0], r[1]) for r in db.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()]:
    figures += [f"count({name})", f"count(*) - count({name})", f"approx_count_distinct({name})"]
    if kind == "VARCHAR":
        figures += [f"min(length({name}))", f"max(length({name}))", f"avg(length({name}))", f"approx_top_k({name}, 100)"]
        continue
    figures += [f"min({name})", f"max({name})", f"approx_quantile({name}, {RANKS})"]
    if not kind.startswith(("TIMESTAMP", "DATE")):
        figures += [f"avg({name})", f"stddev_samp({name})"]
rows = db.execute(f"SELECT {', '.join(figures)} FROM {table}").fetchone()[0]
print(json.dumps({"rows": rows, "cpu": cpu() - begin, "megabytes": megabytes()}))
