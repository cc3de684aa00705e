"""Health and reflection, as every server has them, each on threads of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from harken_server.grpc.guard import on


def health_handlers(
    servicer: health.HealthServicer, pool: ThreadPoolExecutor
) -> grpc.GenericRpcHandler[Any, Any]:
    """``grpc.health.v1.Health``; checks run on ``pool``, watches hold no thread."""
    check = grpc.unary_unary_rpc_method_handler(
        servicer.Check,
        request_deserializer=health_pb2.HealthCheckRequest.FromString,
        response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
    )
    watch = grpc.unary_stream_rpc_method_handler(
        servicer.Watch,
        request_deserializer=health_pb2.HealthCheckRequest.FromString,
        response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
    )
    methods = {"Check": on(pool, check), "Watch": watch}
    return grpc.method_handlers_generic_handler(health.SERVICE_NAME, methods)


def reflection_handlers(
    names: Sequence[str], pool: ThreadPoolExecutor
) -> grpc.GenericRpcHandler[Any, Any]:
    """Server reflection of the services ``names``, health and itself."""
    every = (*names, health.SERVICE_NAME, reflection.SERVICE_NAME)
    info = grpc.stream_stream_rpc_method_handler(
        reflection.ReflectionServicer(every).ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    methods = {"ServerReflectionInfo": on(pool, info)}
    return grpc.method_handlers_generic_handler(reflection.SERVICE_NAME, methods)
