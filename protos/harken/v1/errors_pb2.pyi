from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
ERROR_REASON_ATTRIBUTE_TYPE: ErrorReason
ERROR_REASON_BATCH_SIZE: ErrorReason
ERROR_REASON_DEADLINE_PASSED: ErrorReason
ERROR_REASON_FIELD_INVALID: ErrorReason
ERROR_REASON_FIELD_REQUIRED: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
ERROR_REASON_MESSAGE_UNDECODABLE: ErrorReason
ERROR_REASON_OVERLOADED: ErrorReason
ERROR_REASON_SHUTTING_DOWN: ErrorReason
ERROR_REASON_TIME_ORDER: ErrorReason
ERROR_REASON_UNKNOWN_VALUE: ErrorReason
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_VALUE_OUT_OF_RANGE: ErrorReason

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
