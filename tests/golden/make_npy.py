#!/usr/bin/env python3
"""Writes npy_files.h: small .npy files as NumPy makes them, and what is in them. python3 make_npy.py > npy_files.h"""
import io

import numpy as np

FLOATS = [[1.5, -2.0, 3.25], [float("inf"), float("nan"), -0.0]]
EXTREMES = {
    "i1": [-128, 127, 0], "u1": [0, 255, 128], "i2": [-32768, 32767, 1], "u2": [0, 65535, 32768],
    "i4": [-2**31, 2**31 - 1, -1], "u4": [0, 2**32 - 1, 2**31], "i8": [-2**63, 2**63 - 1, -1],
    "f2": [65504.0, 2.0**-24, -1.0009765625, float("inf"), float("nan"), -0.0, 6.097555160522461e-05],
    "f4": [3.4028234663852886e38, 2.0**-149, -1.0], "f8": [1.7976931348623157e308, 5e-324, -0.1],
    "b1": [True, False, True],
}
BECOMES = {"f2": "F32", "f4": "F32", "f8": "F64", "i1": "I32", "u1": "I32", "i2": "I32", "u2": "I32", "i4": "I32",
           "u4": "I64", "i8": "I64", "b1": "BOOL"}


def c_string(data):
    out = []
    for byte in data:
        char = chr(byte)
        out.append(char if 32 <= byte < 127 and char not in '"\\?' else f"\\{byte:03o}")
    lines = ["".join(out[i:i + 80]) for i in range(0, len(out), 80)]
    return "\n     ".join(f'"{line}"' for line in lines)


def row(name, array, version=(1, 0)):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    data = stream.getvalue()
    kind = array.dtype.str[1:]
    values = [repr(float(v)) if kind[0] == "f" else str(int(v)) for v in array.flatten(order="C")]
    print(f'    {{"{name}",\n     {c_string(data)},\n     {len(data)}, RG_{BECOMES[kind]}, '
          f'{{{array.ndim}, {{{", ".join(map(str, array.shape)) or "0"}}}}}, "{" ".join(values)}"}},')


print("/* Written by make_npy.py with NumPy: .npy files, their dtype once read, shape and row-major values. */")
print("// clang-format off")
print("static const struct npy_file {\n    const char *name, *bytes;\n    size_t size;\n    rg_dtype dtype;\n"
      "    rg_shape shape;\n    const char *values;\n} npy_files[] = {")
for major in (1, 2, 3):
    row(f"version {major}", np.array(FLOATS, "<f4"), (major, 0))
for kind, values in EXTREMES.items():
    for order in "<>" if np.dtype(kind).itemsize > 1 else "|":
        row(f"{order}{kind}", np.array(values, np.dtype(kind) if order == "|" else np.dtype(order + kind)))
for rank in range(9):
    shape = [2, 3, 1, 2, 1, 2, 1, 2][:rank]
    array = np.arange(int(np.prod(shape)), dtype="<i4").reshape(shape)
    row(f"rank {rank}", array)
    if rank > 1:
        row(f"rank {rank} in Fortran's order", np.asfortranarray(array.astype(">i2" if rank % 2 else "<i4")))
row("Fortran's order of bools", np.asfortranarray(np.array([[True, False, False], [True, True, False]])))
row("empty", np.zeros((3, 0, 2), "<f8"))
row("empty in Fortran's order", np.asfortranarray(np.zeros((0, 3), "<f8")))
print("};\n// clang-format on")
