"""Writes the CSV files of this folder from the copies that scikit-learn and linfa-datasets ship.

    pip install scikit-learn==1.9.*
    python data/make.py path/to/linfa-datasets-0.8.1/data/winequality-red.csv.gz
"""

import csv
import gzip
import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_digits

folder = Path(__file__).parent


def write(name, header, rows):
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


digits = load_digits()
write(
    "digits.csv",
    digits.feature_names + ["digit"],
    ([int(x) for x in row] + [int(y)] for row, y in zip(digits.data, digits.target)),
)

cancer = load_breast_cancer()
write(
    "breast_cancer.csv",
    [str(name) for name in cancer.feature_names] + ["class"],
    ([f"{x:.10g}" for x in row] + [int(y)] for row, y in zip(cancer.data, cancer.target)),
)

with gzip.open(sys.argv[1], "rt", newline="") as file:
    header, *rows = csv.reader(file)
write("wine_quality.csv", header, rows)
