"""The formats that requests and answers have unless the user's functions say otherwise."""

import csv
import importlib.util
import io
import json

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
TEXT = {JSON, CSV}


class Unsupported(Exception):
    """A content type that nobody here reads or writes."""

    def __init__(self, content_type):
        super().__init__(
            "Content type %s is not supported by this framework. Implement input_fn to read the request or output_fn"
            " to write the answer, or use one of %s." % (content_type, ", ".join((JSON, CSV, NPY))))


def has(module):
    """Whether the environment has a module."""
    return importlib.util.find_spec(module) is not None


def decode(body, content_type):
    """A request's rows as an array; as lists where there is no numpy."""
    if content_type not in (JSON, CSV, NPY) or content_type == NPY and not has("numpy"):
        raise Unsupported(content_type)
    if not has("numpy"):
        return json.loads(body) if content_type == JSON else [[number(v) for v in row] for row in csv.reader(io.StringIO(body))]
    import numpy
    if content_type == NPY:
        # Pickled objects would run code of whoever sent the request.
        return numpy.load(io.BytesIO(body), allow_pickle=False)
    if content_type == JSON:
        return numpy.array(json.loads(body))
    return numpy.genfromtxt(io.StringIO(body), delimiter=",", ndmin=2)


def number(text):
    """A number; not one of them where there is none, as genfromtxt has it."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def encode(prediction, accept):
    """An answer in the first format of an Accept header that is written here."""
    for wanted in accept.split(","):
        wanted = wanted.split(";")[0].strip()
        if wanted == JSON:
            return json.dumps(prediction, default=lambda v: v.tolist()), JSON
        if wanted == CSV:
            return rows(prediction), CSV
        if wanted == NPY and has("numpy"):
            import numpy
            buffer = io.BytesIO()
            numpy.save(buffer, prediction, allow_pickle=False)
            return buffer.getvalue(), NPY
    raise Unsupported(accept)


def rows(prediction):
    """One line for each row."""
    if hasattr(prediction, "tolist"):
        prediction = prediction.tolist()
    if not isinstance(prediction, (list, tuple)):
        prediction = [prediction]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(r if isinstance(r, (list, tuple)) else [r] for r in prediction)
    return out.getvalue()
