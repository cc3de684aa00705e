from google.rpc import status_pb2 as _status_pb2
from harken.v1 import grumble_pb2 as _grumble_pb2
from harken.v1 import replay_pb2 as _replay_pb2
from harken.v1 import score_pb2 as _score_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchScoreRequest(_message.Message):
    __slots__ = ["requests"]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ScoreRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ScoreRequest, _Mapping]]] = ...) -> None: ...

class BatchScoreResponse(_message.Message):
    __slots__ = ["results"]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchScoreResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchScoreResult, _Mapping]]] = ...) -> None: ...

class BatchScoreResult(_message.Message):
    __slots__ = ["score", "status"]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    score: _score_pb2.Score
    status: _status_pb2.Status
    def __init__(self, score: _Optional[_Union[_score_pb2.Score, _Mapping]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ScoreRequest(_message.Message):
    __slots__ = ["attributes", "customer", "explain", "grumble", "history", "language_code"]
    class AttributesEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _grumble_pb2.AttributeValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_grumble_pb2.AttributeValue, _Mapping]] = ...) -> None: ...
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    GRUMBLE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.MessageMap[str, _grumble_pb2.AttributeValue]
    customer: _grumble_pb2.CustomerProfile
    explain: bool
    grumble: _grumble_pb2.Grumble
    history: _grumble_pb2.History
    language_code: str
    def __init__(self, grumble: _Optional[_Union[_grumble_pb2.Grumble, _Mapping]] = ..., customer: _Optional[_Union[_grumble_pb2.CustomerProfile, _Mapping]] = ..., history: _Optional[_Union[_grumble_pb2.History, _Mapping]] = ..., attributes: _Optional[_Mapping[str, _grumble_pb2.AttributeValue]] = ..., explain: bool = ..., language_code: _Optional[str] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ["score"]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    score: _score_pb2.Score
    def __init__(self, score: _Optional[_Union[_score_pb2.Score, _Mapping]] = ...) -> None: ...
