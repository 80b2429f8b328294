"""What go-plugin asks of every plugin, beside its own service.

Its broker and its stream of standard output are not served: a host gets along
without them, and this backend prints nothing.
"""

import asyncio

import controller_pb2
import grpc
import grpc.aio
import health_pb2

from backend.refusal import Refusal

NAME = "plugin"  # under which go-plugin asks for health


class Health:
    """grpc.health.v1.Health."""

    async def Check(self, r: health_pb2.HealthCheckRequest, _: grpc.aio.ServicerContext) -> health_pb2.HealthCheckResponse:
        if r.service not in ("", NAME):
            raise Refusal(grpc.StatusCode.NOT_FOUND, "no service of that name is served")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


class GRPCController:
    """plugin.GRPCController."""

    def __init__(self) -> None:
        self.shutdown = asyncio.Event()

    async def Shutdown(self, _: controller_pb2.Empty, __: grpc.aio.ServicerContext) -> controller_pb2.Empty:
        """Is answered before the process ends."""
        self.shutdown.set()
        return controller_pb2.Empty()
