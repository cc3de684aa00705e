"""Requests for MLServer, made by its own environment's Python with its own messages.

Reads a JSON list of rows (lists of numbers, null for NaN) from stdin; writes one request a line,
in base64: the row as one FP64 tensor, in raw bytes, which MLServer reads faster than a list.
"""

import base64
import json
import struct
import sys

from mlserver.grpc import dataplane_pb2

for row in json.load(sys.stdin):
    values = [float("nan") if value is None else value for value in row]
    request = dataplane_pb2.ModelInferRequest(model_name="reference")
    tensor = request.inputs.add(name="rows", datatype="FP64", shape=[1, len(values)])
    tensor.parameters["content_type"].string_param = "np"
    request.raw_input_contents.append(struct.pack(f"<{len(values)}d", *values))
    print(base64.b64encode(request.SerializeToString()).decode())
