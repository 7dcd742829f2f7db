# Measures a binary model with scikit-learn on a file of (label, score) pairs of
# float64: every metric that Steward measures, over all rows and over a few
# replicates of a bootstrap, and prints the rows and the CPU seconds that as many
# replicates as asked for would have taken, by proportion.
import json
import resource
import sys

import numpy as np
from sklearn import metrics

path, replicates, few = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def megabytes():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6


def measure(label, score):
    said = score >= 0.5
    bins = np.minimum((score * 10).astype(int), 9)
    tn, fp, fn, tp = metrics.confusion_matrix(label, said).ravel()
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return [
        metrics.roc_auc_score(label, score), metrics.average_precision_score(label, score),
        metrics.log_loss(label, score), metrics.brier_score_loss(label, score),
        np.abs(np.bincount(bins, weights=score - label)).sum() / len(label),
        (tp + tn) / len(label), precision, recall, tn / (tn + fp), (recall + tn / (tn + fp)) / 2,
        (tp * tn - fp * fn) / np.sqrt(float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        *((1 + b * b) * precision * recall / (b * b * precision + recall) for b in (0.5, 1, 2)),
    ]


pairs = np.fromfile(path).reshape(-1, 2)
label, score = pairs[:, 0].copy(), pairs[:, 1].copy()
random = np.random.default_rng(1)
begin = cpu()
measure(label, score)
once = cpu() - begin
begin = cpu()
values = []
for _ in range(few):
    rows = random.integers(0, len(label), size=len(label))
    values.append(measure(label[rows], score[rows]))
np.percentile(values, [2.5, 97.5], axis=0)
took = once + (cpu() - begin) * replicates / few
print(json.dumps({"rows": len(label), "cpu": took, "megabytes": megabytes()}))
