"""The GFLOP/s of NumPy's product of two square matrices of 512 in f32, on one thread."""

import json
import time

import numpy as np

a, b = np.random.default_rng(0).random((2, 512, 512), dtype=np.float32)
seconds = []
for _ in range(100):
    begin = time.process_time()
    for _ in range(5):
        a @ b
    seconds.append((time.process_time() - begin) / 5)
print(json.dumps({"gflops": 2e-9 * 512**3 / min(seconds)}))
