"""The gRPC server: which object serves which service, and how calls end."""

import asyncio
from typing import Any, Awaitable, Callable

import controller_pb2
import grpc
import grpc.aio
import health_pb2
from concourse.users.v1 import users_pb2
from google.protobuf import descriptor, descriptor_pb2, message_factory

from backend import handshake, log, process, refusal
from backend.goplugin import GRPCController, Health
from backend.service import CAPABILITY_OF, Users

MAX_MESSAGE = 4 << 20  # bytes, in either direction
GRACE = 0.2  # seconds that calls under way get at the end; the host waits for 2 s

Call = Callable[[Any, grpc.aio.ServicerContext], Awaitable[Any]]


async def serve() -> None:
    """Returns when the host has asked for the end."""
    process.say_what_is_ignored(asyncio.get_running_loop())
    controller = GRPCController()
    server = grpc.aio.server(options=[
        ("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)])
    server.add_generic_rpc_handlers([
        _handlers(users_pb2.DESCRIPTOR.services_by_name["Users"], Users()),
        _handlers(health_pb2.DESCRIPTOR.services_by_name["Health"], Health()),
        _handlers(controller_pb2.DESCRIPTOR.services_by_name["GRPCController"], controller),
    ])
    path, proof = handshake.socket_path(), handshake.proof()
    if proof:
        server.add_secure_port(f"unix:{path}", proof.credentials)
    else:
        server.add_insecure_port(f"unix:{path}")
    await server.start()
    handshake.greet(path, proof)
    await controller.shutdown.wait()
    await server.stop(GRACE)


def _handlers(service: descriptor.ServiceDescriptor, served_by: object) -> grpc.GenericRpcHandler:
    """Finds a method of the object for each call of a service. A call without
    one answers which capability is missing."""
    shape = descriptor_pb2.ServiceDescriptorProto()
    service.CopyToProto(shape)
    handlers = {}
    for method, form in zip(service.methods, shape.method):
        make = _MAKERS[form.client_streaming, form.server_streaming]
        call = getattr(served_by, method.name, None) or _lacking(CAPABILITY_OF.get(method.name, "change"))
        handlers[method.name] = make(
            _guarded(f"/{service.full_name}/{method.name}", call),
            request_deserializer=_class(method.input_type).FromString,
            response_serializer=_class(method.output_type).SerializeToString)
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


_MAKERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}

_messages = message_factory.MessageFactory()


def _class(kind: descriptor.Descriptor) -> type:
    return _messages.GetPrototype(kind)


def _lacking(capability: str) -> Call:
    async def call(_: Any, __: grpc.aio.ServicerContext) -> None:
        raise refusal.unsupported(capability)
    return call


def _guarded(method: str, call: Call) -> Call:
    """Sends refusals with their details. Of anything unexpected the caller hears
    nothing, and the log no more than its type and place."""
    async def guarded(request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await call(request, context)
        except refusal.Refusal as refused:
            await context.abort(refused.code, refused.message, refused.trailers())
        except grpc.aio.AbortError:
            raise
        except Exception as cause:
            log.failure("internal error", cause, method=method)
            await context.abort(grpc.StatusCode.INTERNAL, "internal error; the log of the server says more")
    return guarded
