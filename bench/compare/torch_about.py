"""Prints as JSON what PyTorch is made of: its version, its BLAS with the kernels that it chose for this processor, and by what each
makes threads."""
import ctypes
import json
import re

import torch


def libraries():
    """Files of BLAS libraries in this process; none where a system does not tell."""
    try:
        with open("/proc/self/maps") as maps:
            return sorted({line.split()[-1] for line in maps if re.search(r"blas[^/]*\.so", line)})
    except OSError:
        return []


def blas():
    if torch.backends.mkl.is_available():
        return {"name": "MKL", "kernels": "", "threads": "OpenMP"}
    for file in libraries():
        library = ctypes.CDLL(file)
        if hasattr(library, "openblas_get_corename"):
            for function in "openblas_get_corename", "openblas_get_config":
                getattr(library, function).restype = ctypes.c_char_p
            threads = ["nothing", "pthreads", "OpenMP"][library.openblas_get_parallel()]
            name = " ".join(library.openblas_get_config().decode().split()[:2])
            return {"name": name, "kernels": library.openblas_get_corename().decode(), "threads": threads}
    return {"name": "an unknown BLAS", "kernels": "", "threads": "what it does not tell"}


parallel = re.search(r"ATen parallel backend: (.*)", torch.__config__.parallel_info())
print(json.dumps({"version": torch.__version__, "parallel": parallel[1] if parallel else "unknown", "blas": blas()}))
