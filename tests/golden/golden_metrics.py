"""Golden cases of metrics, by formulas written out in NumPy. Where scikit-learn is installed they are held against it."""
import numpy as np
import torch

from golden_write import INF, NAN, boolean, draw, f64, i64, integers

try:
    import sklearn.metrics as sk
except ImportError:
    sk = None


def held(ours, theirs):
    """Ours, which must be scikit-learn's."""
    if sk:
        np.testing.assert_allclose(ours, theirs(), rtol=1e-12, atol=1e-15)
    return ours


def finite(scores):
    """In the same order: scikit-learn refuses infinities."""
    return np.clip(scores, -1e9, 1e9)


def ratio(a, b):
    return a / b if b else 0.0


# ---- classes -------------------------------------------------------------------------------------------------------------


def confusion(labels, predictions):
    counts = np.zeros((4, 4), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return held(counts, lambda: sk.confusion_matrix(labels, predictions, labels=range(4)))


def class_scores(labels, predictions):
    """Rows of precision, recall, F1 and support: each class, macro, weighted, micro."""
    counts = confusion(labels, predictions)
    rows = []
    for k in range(4):
        hits, support, found = counts[k, k], counts[k].sum(), counts[:, k].sum()
        rows.append([ratio(hits, found), ratio(hits, support), ratio(2 * hits, support + found), support])
    each = np.array(rows, dtype=np.float64)
    occurs = (counts.sum(0) + counts.sum(1)) > 0
    macro, weighted = each[occurs, :3].mean(0), np.average(each[:, :3], axis=0, weights=each[:, 3])
    micro = [np.trace(counts) / counts.sum()] * 3
    for average, mean in (("macro", macro), ("weighted", weighted), ("micro", micro)):
        held(mean, lambda: sk.precision_recall_fscore_support(labels, predictions, average=average, zero_division=0)[:3])
        rows.append([*mean, len(labels)])
    held(each[:, :3], lambda: np.array(sk.precision_recall_fscore_support(labels, predictions, labels=range(4),
                                                                          zero_division=0)[:3]).T)
    return np.array(rows, dtype=np.float64)


def top_k(scores, labels, k):
    """The first k of a stable sort, the best first."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return (best == labels[:, None]).any(1)


# ---- rankings ------------------------------------------------------------------------------------------------------------


def auc(scores, labels):
    above = [(p > q) + (p == q) / 2 for p in scores[labels] for q in scores[~labels]]
    if not above:
        return NAN
    return held(np.mean(above), lambda: sk.roc_auc_score(labels, finite(scores)))


def cuts(scores, labels):
    """Threshold, true and false positives for each distinct score."""
    return [(s, int((labels & (scores >= s)).sum()), int((~labels & (scores >= s)).sum())) for s in np.unique(scores)[::-1]]


def roc_curve(scores, labels):
    positives, negatives = labels.sum(), (~labels).sum()
    rows = [(s, fp / negatives if negatives else NAN, tp / positives if positives else NAN, tp, fp)
            for s, tp, fp in [(INF, 0, 0)] + cuts(scores, labels)]
    if positives and negatives:
        held(np.array(rows)[:, [1, 2, 0]], lambda: np.array(sk.roc_curve(labels, scores, drop_intermediate=False)).T)
    return np.array(rows)


def precision_recall_curve(scores, labels):
    positives = labels.sum()
    rows = np.array([(s, tp / positives if positives else 1.0, tp / (tp + fp), tp, fp) for s, tp, fp in cuts(scores, labels)])
    if sk and positives and np.isfinite(scores).all():
        precision, recall, thresholds = sk.precision_recall_curve(labels, scores)
        held(rows[:, :3], lambda: np.array([thresholds, recall[:-1], precision[:-1]]).T[::-1])
    return rows


def average_precision(scores, labels):
    rows = precision_recall_curve(scores, labels)
    if not labels.any():
        return 0.0
    recall = np.concatenate([[0], rows[:, 1]])
    return held(np.sum(np.diff(recall) * rows[:, 2]), lambda: sk.average_precision_score(labels, finite(scores)))


# ---- sums ----------------------------------------------------------------------------------------------------------------


def calibration(confidences, right, bins):
    """Count, mean confidence and share of right ones of each bin; the errors."""
    edges = np.arange(bins + 1) / bins
    place = np.clip(np.searchsorted(edges, confidences, side="left") - 1, 0, None)
    rows, gaps = [], []
    for b in range(bins):
        inside = place == b
        if inside.any():
            rows.append([inside.sum(), confidences[inside].mean(), right[inside].mean()])
            gaps.append((rows[-1][0], abs(rows[-1][1] - rows[-1][2])))
        else:
            rows.append([0, NAN, NAN])
    error = sum(n * g for n, g in gaps) / len(confidences)
    return np.array(rows + [[error, max(g for _, g in gaps), 0]], dtype=np.float64)


def regression(x, y):
    squared, spread = ((x - y)**2).sum(), ((y - y.mean())**2).sum() if len(y) else 0
    if len(y) < 2:
        r2 = NAN
    elif (y == y[0]).all():
        r2 = float(squared == 0)
    else:
        r2 = 1 - squared / spread
    if len(y) > 1:
        held([squared / len(y), np.abs(x - y).mean(), r2],
             lambda: [sk.mean_squared_error(y, x), sk.mean_absolute_error(y, x), sk.r2_score(y, x)])
    return np.array([squared / len(y) if len(y) else NAN, np.abs(x - y).mean() if len(y) else NAN, r2])


def means(x, weights, decay):
    mean = (x * weights).sum() / weights.sum() if weights.sum() > 0 else NAN
    share = decay**np.arange(len(x) - 1, -1, -1)
    return np.array([mean, np.exp(mean), (share * x).sum() / share.sum() if len(x) else NAN])


def metrics(w):
    def case(key, variant, function, *inputs):
        wrapped = lambda *x: torch.from_numpy(np.asarray(function(*[i.numpy() for i in x])))
        w.case(key, variant, wrapped, *inputs, order=0)

    labels, predictions = integers("metric labels", (13,), 0, 4), integers("metric predictions", (13,), 0, 4)
    seen = {"plain": (labels, predictions), "absent": (labels % 2, predictions % 3), "right": (labels, labels),
            "never": (i64([0, 0, 3]), i64([3, 3, 0])), "one": (i64([2]), i64([2]))}
    for name, pair in seen.items():
        case("confusion", name, lambda y, p: np.vstack([[len(y)] * 4, confusion(y, p)]), *pair)
        case("class_scores", name, class_scores, *pair)
        case("confusion_accuracy", name, lambda y, p: (y == p).mean(), *pair)

    scores = {"plain": draw("metric scores", (12,), 0, 1), "ties": integers("metric ties", (12,), 0, 4).double() / 4,
              "equal": f64([0.5] * 12), "infinite": f64([INF, 1, -INF, 2, 1, INF, 0, -0.0, 3, -INF, 5, 4])}
    truth = integers("metric truth", (12,), 0, 2) > 0
    for name, x in scores.items():
        for key, function in (("roc_auc", auc), ("average_precision", average_precision)):
            case(key, name, function, x, truth)
            case(key, name + "_right", function, x, x > x.median())
        if name != "infinite":
            case("roc_curve", name, roc_curve, x, truth)
            case("precision_recall_curve", name, precision_recall_curve, x, truth)
    for kind in (False, True):
        one, name = boolean([kind] * 3), "all" if kind else "none"
        case("roc_auc", name, auc, f64([1, 2, 1]), one)
        case("average_precision", name, average_precision, f64([1, 2, 1]), one)
        case("roc_curve", name, roc_curve, f64([1, 2, 1]), one)
        case("precision_recall_curve", name, precision_recall_curve, f64([1, 2, 1]), one)

    for bins in (5, 10):
        run = lambda p, y, bins=bins: calibration(p, y, bins)
        case(f"calibration_{bins}", "plain", run, draw("confidences", (14,), 0, 1), integers("right", (14,), 0, 2) > 0)
        borders = torch.from_numpy(np.arange(11) / 10)
        case(f"calibration_{bins}", "borders", run, borders, integers("right", (11,), 0, 2) > 0)
        case(f"calibration_{bins}", "one", run, f64([0.3]), boolean([True]))
    x, y = draw("regression x", (9,)), draw("regression y", (9,))
    case("regression", "plain", regression, x, y)
    case("regression", "far", regression, x + 1e6, y + 1e6)
    case("regression", "exact", regression, y, y)
    case("regression", "constant", regression, x, f64([0.1] * 9))
    case("regression", "constant_exact", regression, f64([0.1] * 9), f64([0.1] * 9))
    case("regression", "one", regression, x[:1], y[:1])
    case("regression", "empty", regression, x[:0], y[:0])
    case("means", "plain", lambda x, v: means(x, v, 0.75), x, draw("mean weights", (9,), 0, 4))
    case("means", "zeros", lambda x, v: means(x, v, 0.75), x[:3], f64([0, 0, 0]))
    case("means", "empty", lambda x, v: means(x, v, 0.75), x[:0], x[:0])

    rows, labels = integers("top k", (9, 4), 0, 6, "i32").float(), integers("top k labels", (9,), 0, 4)
    distinct = torch.from_numpy(np.random.RandomState(5).permutation(36).reshape(9, 4) / 4).float()
    for name, x in (("ties", rows), ("plain", distinct)):
        for k in (1, 2, 4):
            case(f"top_k_{k}", name, lambda x, y, k=k: np.float32(top_k(x, y, k).mean()), x, labels)
        case("top_k_hits", name, lambda x, y: np.array([top_k(x, y, k).sum() for k in range(1, 5)]), x, labels)
    if sk:
        for k in (1, 2):
            held(top_k(distinct.numpy(), labels.numpy(), k).mean(),
                 lambda: sk.top_k_accuracy_score(labels.numpy(), distinct.numpy(), k=k, labels=range(4)))
