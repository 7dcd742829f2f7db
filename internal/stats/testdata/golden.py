"""Computes the golden values of package stats with the field's own libraries.

Run by `make goldens`; writes golden.json beside itself.
"""

import importlib.metadata
import json
import math
import pathlib
import warnings

import numpy as np
import pandas as pd
from evidently.legacy.calculations import stattests
from evidently.legacy.core import ColumnType
from fairlearn import metrics as fair
from nannyml.drift.univariate.methods import ContinuousJensenShannonDistance
from nannyml.performance_estimation.confidence_based import metrics as cbpe
from nannyml.chunk import SizeBasedChunker
from nannyml.thresholds import ConstantThreshold
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn import metrics
from sklearn.calibration import _SigmoidCalibration, calibration_curve
from sklearn.isotonic import IsotonicRegression

warnings.filterwarnings("ignore")
random = np.random.default_rng(20011)


def rounded(values, digits=6):
    return np.round(np.asarray(values, float), digits)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def binary(name, score, label, weight=None):
    said = (score >= 0.5).astype(int)
    w = {"sample_weight": weight}
    share = np.average(label, weights=weight)
    constant = np.full(len(label), share)
    edges = np.linspace(0, 1, 11)
    bins = np.searchsorted(edges[1:-1], score)
    each = np.ones(len(label)) if weight is None else weight
    ece = sum(abs(np.sum((each * (score - label))[bins == b])) for b in range(10)) / each.sum()
    want = {
        "auc": metrics.roc_auc_score(label, score, **w),
        "pr_auc": metrics.average_precision_score(label, score, **w),
        "log_loss": metrics.log_loss(label, score, **w),
        "brier": metrics.brier_score_loss(label, score, **w),
        "accuracy": metrics.accuracy_score(label, said, **w),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, said, **w),
        "mcc": metrics.matthews_corrcoef(label, said, **w),
        "precision": metrics.precision_score(label, said, zero_division=0, **w),
        "recall": metrics.recall_score(label, said, **w),
        "specificity": metrics.recall_score(label, said, pos_label=0, **w),
        "f0_5": metrics.fbeta_score(label, said, beta=0.5, **w),
        "f1": metrics.f1_score(label, said, **w),
        "f2": metrics.fbeta_score(label, said, beta=2, **w),
        "log_loss_skill": metrics.d2_log_loss_score(label, score, **w),
        "baseline_log_loss": metrics.log_loss(label, constant, **w),
        "base_rate": share,
        "ece": ece,
    }
    fpr, tpr, _ = metrics.roc_curve(label, score, drop_intermediate=False, **w)
    precision, recall, _ = metrics.precision_recall_curve(label, score, **w)
    out = {"name": name, "score": score.tolist(), "label": label.tolist(), "want": want}
    if weight is None:
        curves = {"fpr": fpr, "tpr": tpr, "precision": precision[::-1][1:], "recall": recall[::-1][1:]}
        for strategy, key in (("uniform", "width"), ("quantile", "count")):
            curves["observed_" + key], curves["score_" + key] = calibration_curve(label, score, n_bins=5, strategy=strategy)
        out["curves"] = {k: v.tolist() for k, v in curves.items()}
    else:
        out["weight"] = weight.tolist()
    return out


def binaries():
    def labelled(x):
        return (random.random(len(x)) < logistic(x)).astype(float)

    x = random.normal(size=200)
    y = labelled(x)
    weight = rounded(random.exponential(size=200), 3)
    rare = np.zeros(200)
    rare[[3, 77]] = 1
    return [
        binary("normal", rounded(logistic(x)), y),
        binary("weighted", rounded(logistic(x + 0.5 * random.normal(size=200))), y, weight),
        binary("skewed", rounded(random.beta(0.5, 5, size=200)), y),
        binary("tied", rounded(logistic(x), 1), y),
        binary("constant", np.full(200, 0.5), y),
        binary("tiny", np.array([0.2, 0.7]), np.array([0.0, 1.0])),
        binary("rare", rounded(logistic(x)), rare),
        binary("certain", np.where(x > 0, 1.0, 0.0), y),
        binary("edges", rounded(random.integers(0, 11, size=200) / 10, 1), y),
    ]


def regression(name, score, label, weight=None):
    w = {"sample_weight": weight}
    want = {
        "mae": metrics.mean_absolute_error(label, score, **w),
        "mse": metrics.mean_squared_error(label, score, **w),
        "rmse": metrics.root_mean_squared_error(label, score, **w),
        "r2": metrics.r2_score(label, score, **w),
        "mape": metrics.mean_absolute_percentage_error(label, score, **w),
        "pinball_10": metrics.mean_pinball_loss(label, score, alpha=0.1, **w),
        "pinball_90": metrics.mean_pinball_loss(label, score, alpha=0.9, **w),
    }
    if weight is None:
        want["median_absolute_error"] = metrics.median_absolute_error(label, score)
    out = {"name": name, "score": score.tolist(), "label": label.tolist(), "want": want}
    return out if weight is None else out | {"weight": weight.tolist()}


def regressions():
    y = rounded(random.normal(size=151))
    off = rounded(y + random.normal(size=151))
    return [
        regression("normal", off, y),
        regression("weighted", off, y, rounded(random.exponential(size=151), 3)),
        regression("skewed", rounded(random.lognormal(size=150)), rounded(random.lognormal(size=150))),
        regression("tied", np.round(off), np.where(np.round(y) == 0, 1, np.round(y))),
        regression("huge", 1e12 * off, 1e12 * y),
        regression("far from 0", 1e6 + off, 1e6 + y),
        regression("tiny", np.array([1.0, 2.5]), np.array([1.5, 2.0])),
    ]


def multiclass(name, p, label, weight=None):
    k = p.shape[1]
    labels, said, w = list(range(k)), p.argmax(axis=1), {"sample_weight": weight}
    want = {
        "accuracy": metrics.accuracy_score(label, said, **w),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, said, **w),
        "log_loss": metrics.log_loss(label, p, labels=labels, **w),
        "brier": np.average(((p - np.eye(k)[label]) ** 2).sum(axis=1), weights=weight),
        "top_3_accuracy": metrics.top_k_accuracy_score(label, p, k=3, labels=labels, **w) if k > 3 else 1.0,
    }
    for kind in "macro", "weighted":
        want[kind + "_precision"] = metrics.precision_score(label, said, average=kind, zero_division=0, **w)
        want[kind + "_recall"] = metrics.recall_score(label, said, average=kind, zero_division=0, **w)
        want[kind + "_f1"] = metrics.f1_score(label, said, average=kind, zero_division=0, **w)
        if len(set(label)) == k and k > 2:
            want[kind + "_auc"] = metrics.roc_auc_score(label, p, multi_class="ovr", average=kind, labels=labels, **w)
    out = {"name": name, "classes": k, "probability": p.ravel().tolist(), "label": label.tolist(), "want": want}
    return out if weight is None else out | {"weight": weight.tolist()}


def multiclasses():
    def drawn(n, k, digits):
        p = random.dirichlet(np.ones(k), size=n)
        label = np.array([random.choice(k, p=row) for row in p])
        p = np.round(p, digits)
        p[:, 0] += 1 - p.sum(axis=1)
        return np.clip(p, 0, 1), label

    p, label = drawn(120, 4, 6)
    unseen = np.where(label == 2, 1, label)
    return [
        multiclass("normal", p, label),
        multiclass("weighted", p, label, rounded(random.exponential(size=120), 3)),
        multiclass("unseen class", p, unseen),
        multiclass("three", *drawn(90, 3, 6)),
    ]


def rankings():
    out = []
    for name, digits in (("normal", 6), ("tied", 1)):
        query, score, gain, ndcg, ap, reciprocal = [], [], [], [], [], []
        for q in range(12):
            n = int(random.integers(2, 25))
            g = np.minimum(random.poisson(0.7, size=n), 3).astype(float)
            g[int(random.integers(n))] = 2
            s = rounded(g + random.normal(size=n), digits)
            ndcg.append(metrics.ndcg_score([g], [s], k=10))
            if digits == 6:
                ap.append(metrics.average_precision_score(g > 0, s))
                reciprocal.append(1 / (1 + np.argmax(g[np.argsort(-s)] > 0)))
            query += [q] * n
            score += s.tolist()
            gain += g.tolist()
        want = {"ndcg_at_10": np.mean(ndcg)}
        if ap:
            want |= {"map": np.mean(ap), "mrr": np.mean(reciprocal)}
        out.append({"name": name, "query": query, "score": score, "gain": gain, "want": want})
    return out


def samples():
    """Distances of two samples; what is not finite is left out by the peers."""
    n = random.normal(size=300)
    cases = {
        "normal": (n, random.normal(0.3, size=200)),
        "same": (n, n),
        "skewed": (random.lognormal(size=300), random.lognormal(0.2, size=250)),
        "tied": (random.integers(0, 6, size=300), random.integers(1, 7, size=200)),
        "constant": (np.ones(50), np.ones(40)),
        "constant moved": (np.ones(50), np.full(40, 2.0)),
        "huge": (1e12 * n, 1e12 * random.normal(size=100)),
        "tiny": (np.array([1.0, 2.0, 3.0]), np.array([2.5])),
        "outside": (n, random.normal(5, size=100)),
    }
    out = []
    for name, (a, b) in cases.items():
        a, b = rounded(a), rounded(b)
        ks = stats.ks_2samp(a, b, method="exact")
        js = ContinuousJensenShannonDistance(chunker=SizeBasedChunker(1000), threshold=ConstantThreshold(upper=0.1),
                                             computation_params=None)
        js.fit(pd.Series(a, name="x"))
        u = stats.mannwhitneyu(b, a, method="asymptotic")
        want = {
            "ks": ks.statistic, "ks_p": ks.pvalue,
            "ks_p_limit": stats.ks_2samp(a, b, method="asymp").pvalue,
            "wasserstein": stats.wasserstein_distance(a, b),
            "js_doane": js.calculate(pd.Series(b, name="x")),
            "doane_bins": len(np.histogram_bin_edges(a, bins="doane")) - 1,
            "hodges_lehmann": np.median(np.subtract.outer(b, a)),
            "u": u.statistic, "u_p": u.pvalue if not math.isnan(u.pvalue) else 1.0,
            "wasserstein_norm": stattests.wasserstein_stat_test.func(pd.Series(a), pd.Series(b), ColumnType.Numerical, 0.1)[0],
        }
        case = {"name": name, "a": a.tolist(), "b": b.tolist(), "want": want}
        if name == "tiny":
            del want["wasserstein_norm"]  # of 3 rows, n and n - 1 are too far apart
        if name in ("normal", "skewed", "tied"):
            case["shift"] = shift(a, b, 0.98)
        out.append(case)
    return out


def shift(a, b, confidence):
    """The shifts that SciPy's test does not reject, by halving."""
    def rejected(d):
        return stats.mannwhitneyu(b - d, a, method="asymptotic").pvalue < 1 - confidence

    ends = []
    for outer in (b.min() - a.max(), b.max() - a.min()):
        inner = np.median(np.subtract.outer(b, a))
        for _ in range(60):
            middle = (inner + outer) / 2
            inner, outer = (inner, middle) if rejected(middle) else (middle, outer)
        ends.append(inner)
    return ends


def shares():
    out = []
    for name, p, q in (
        ("golden vector", [0.5, 0.5], [0.9, 0.1]),
        ("same", [0.2, 0.3, 0.5], [0.2, 0.3, 0.5]),
        ("empty bin", [0.5, 0.3, 0.2], [0.6, 0.4, 0.0]),
        ("unseen category", [0.5, 0.5, 0.0], [0.4, 0.4, 0.2]),
        ("rare", [0.997, 0.003], [0.99, 0.01]),
    ):
        a, b = np.round(1000 * np.array(p)).astype(int), np.round(1000 * np.array(q)).astype(int)
        names = [f"c{i}" for i in range(len(p))]
        ref, cur = pd.Series(np.repeat(names, a)), pd.Series(np.repeat(names, b))

        def evidently(test):
            return test.func(ref, cur, ColumnType.Categorical, 0.1)[0]

        used = a + b > 0
        chi2 = stats.chi2_contingency([a[used], b[used]], correction=False)
        both = (a[0] + b[0]) / 2000
        z = (p[0] - q[0]) / math.sqrt(both * (1 - both) * 2 / 1000)
        out.append({"name": name, "p": a.tolist(), "q": b.tolist(), "want": {
            "psi": evidently(stattests.psi_stat_test),
            "js_e": jensenshannon(p, q), "js_2": jensenshannon(p, q, base=2), "jsd_2": jensenshannon(p, q, base=2) ** 2,
            "hellinger": evidently(stattests.hellinger_stat_test),
            "tv": np.abs(np.subtract(p, q)).sum() / 2, "linf": np.abs(np.subtract(p, q)).max(),
            "chi2": chi2.statistic, "chi2_p": chi2.pvalue,
            "z_p": 2 * stats.norm.sf(abs(z)),
        }})
    return out


def fairness():
    n = 240
    facet = random.random(n) < 0.3
    label = (random.random(n) < np.where(facet, 0.35, 0.5)).astype(int)
    said = np.where(random.random(n) < 0.75, label, random.integers(0, 2, size=n))
    args = {"y_true": label, "y_pred": said, "sensitive_features": facet}

    def gap(of, sign):
        return sign * (of(label[~facet], said[~facet]) - of(label[facet], said[facet]))

    def rejected(y, s):
        return metrics.precision_score(y, s, pos_label=0)

    def errors(y, s):
        tn, fp, fn, tp = metrics.confusion_matrix(y, s).ravel()
        return fn / fp

    benefit = said - label + 1
    want = {
        "demographic_parity_difference": fair.demographic_parity_difference(**args),
        "demographic_parity_ratio": fair.demographic_parity_ratio(**args),
        "equalized_odds_difference": fair.equalized_odds_difference(**args),
        "equalized_odds_ratio": fair.equalized_odds_ratio(**args),
        "ci": ((~facet).sum() - facet.sum()) / n,
        "dpl": label[~facet].mean() - label[facet].mean(),
        "dppl": fair.selection_rate(label, said[~facet]) - fair.selection_rate(label, said[facet]),
        "di": fair.selection_rate(label, said[facet]) / fair.selection_rate(label, said[~facet]),
        "ad": gap(metrics.accuracy_score, 1), "rd": gap(fair.true_positive_rate, 1),
        "dar": gap(metrics.precision_score, 1), "sd": gap(fair.true_negative_rate, -1), "drr": gap(rejected, -1),
        "dca": gap(lambda y, s: y.mean() / s.mean(), 1), "dcr": gap(lambda y, s: (1 - y).mean() / (1 - s).mean(), -1),
        "te": gap(errors, -1), "ge": np.mean((benefit / benefit.mean()) ** 2 - 1) / 2,
    }
    return {"facet": facet.tolist(), "label": label.tolist(), "predicted": said.tolist(), "want": want}


def estimates():
    x = random.normal(size=250)
    label = (random.random(250) < logistic(1.5 * x - 0.5)).astype(float)
    score, at = rounded(logistic(x), 2), np.linspace(0, 1, 41)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(score, label)
    platt = _SigmoidCalibration().fit(score, label)
    p = rounded(isotonic.predict(score))
    said = (score >= 0.5).astype(int)
    return {
        "score": score.tolist(), "label": label.tolist(), "at": at.tolist(), "probability": p.tolist(),
        "isotonic": isotonic.predict(at).tolist(), "platt": platt.predict(at).tolist(),
        "want": {
            "auc": cbpe.estimate_roc_auc(pd.Series(p), pd.Series(score)),
            "f1": cbpe.estimate_f1(pd.Series(said), pd.Series(p)),
            "precision": cbpe.estimate_precision(pd.Series(said), pd.Series(p)),
            "recall": cbpe.estimate_recall(pd.Series(said), pd.Series(p)),
            "specificity": cbpe.estimate_specificity(pd.Series(said), pd.Series(p)),
            "accuracy": cbpe.estimate_accuracy(pd.Series(said), pd.Series(p)),
        },
    }


def adjusted():
    p = rounded(random.random(12) ** 3, 5)
    return {"p": p.tolist(), "bh": stats.false_discovery_control(p).tolist()}


packages = "evidently", "fairlearn", "nannyml", "numpy", "pandas", "scikit-learn", "scipy"
golden = {
    "versions": {name: importlib.metadata.version(name) for name in packages},
    "binary": binaries(), "regression": regressions(), "multiclass": multiclasses(), "ranking": rankings(),
    "samples": samples(), "shares": shares(), "fairness": fairness(), "estimates": estimates(), "adjusted": adjusted(),
    "ks_large_p": stats.ks_2samp(np.arange(3000), 1.2 * np.arange(2500) + 90.5, method="exact").pvalue,
    "ratio_p": stats.chisquare([5100, 4900, 10300], [5075, 5075, 10150]).pvalue,
}
text = json.dumps(golden, separators=(",", ":"), allow_nan=False, default=float)
pathlib.Path(__file__).with_name("golden.json").write_text(text.replace('},{"name"', '},\n{"name"') + "\n")
