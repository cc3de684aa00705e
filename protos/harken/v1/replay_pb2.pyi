from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CodeColumn(_message.Message):
    __slots__ = ["index", "values"]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    index: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedCompositeFieldContainer[CodeList]
    def __init__(self, values: _Optional[_Iterable[_Union[CodeList, _Mapping]]] = ..., index: _Optional[_Iterable[int]] = ...) -> None: ...

class CodeList(_message.Message):
    __slots__ = ["codes"]
    CODES_FIELD_NUMBER: _ClassVar[int]
    codes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, codes: _Optional[_Iterable[str]] = ...) -> None: ...

class ReplayFault(_message.Message):
    __slots__ = ["row", "status"]
    ROW_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    row: int
    status: _status_pb2.Status
    def __init__(self, row: _Optional[int] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ReplayScoresRequest(_message.Message):
    __slots__ = ["record_batch", "sequence"]
    RECORD_BATCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    record_batch: bytes
    sequence: int
    def __init__(self, sequence: _Optional[int] = ..., record_batch: _Optional[bytes] = ...) -> None: ...

class ReplayScoresResponse(_message.Message):
    __slots__ = ["behaviour_type", "contact_policy", "decision_id", "escalation_chain", "faults", "level", "model_digest", "owner", "probability", "reasons", "reply_deadline_time_us", "resolve_deadline_time_us", "row_count", "rule_base_digest", "segment", "sequence", "severity", "status", "strategies", "supporting_departments", "tolerance", "treatment", "warnings"]
    BEHAVIOUR_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_POLICY_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    ESCALATION_CHAIN_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    REPLY_DEADLINE_TIME_US_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_DEADLINE_TIME_US_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    RULE_BASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    SUPPORTING_DEPARTMENTS_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    TREATMENT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    behaviour_type: CodeColumn
    contact_policy: CodeColumn
    decision_id: str
    escalation_chain: CodeColumn
    faults: _containers.RepeatedCompositeFieldContainer[ReplayFault]
    level: _containers.RepeatedScalarFieldContainer[int]
    model_digest: str
    owner: CodeColumn
    probability: _containers.RepeatedScalarFieldContainer[float]
    reasons: CodeColumn
    reply_deadline_time_us: _containers.RepeatedScalarFieldContainer[int]
    resolve_deadline_time_us: _containers.RepeatedScalarFieldContainer[int]
    row_count: int
    rule_base_digest: str
    segment: CodeColumn
    sequence: int
    severity: _containers.RepeatedScalarFieldContainer[float]
    status: _status_pb2.Status
    strategies: CodeColumn
    supporting_departments: CodeColumn
    tolerance: CodeColumn
    treatment: CodeColumn
    warnings: CodeColumn
    def __init__(self, sequence: _Optional[int] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., row_count: _Optional[int] = ..., decision_id: _Optional[str] = ..., rule_base_digest: _Optional[str] = ..., model_digest: _Optional[str] = ..., faults: _Optional[_Iterable[_Union[ReplayFault, _Mapping]]] = ..., level: _Optional[_Iterable[int]] = ..., probability: _Optional[_Iterable[float]] = ..., severity: _Optional[_Iterable[float]] = ..., reply_deadline_time_us: _Optional[_Iterable[int]] = ..., resolve_deadline_time_us: _Optional[_Iterable[int]] = ..., segment: _Optional[_Union[CodeColumn, _Mapping]] = ..., behaviour_type: _Optional[_Union[CodeColumn, _Mapping]] = ..., tolerance: _Optional[_Union[CodeColumn, _Mapping]] = ..., treatment: _Optional[_Union[CodeColumn, _Mapping]] = ..., contact_policy: _Optional[_Union[CodeColumn, _Mapping]] = ..., strategies: _Optional[_Union[CodeColumn, _Mapping]] = ..., owner: _Optional[_Union[CodeColumn, _Mapping]] = ..., supporting_departments: _Optional[_Union[CodeColumn, _Mapping]] = ..., escalation_chain: _Optional[_Union[CodeColumn, _Mapping]] = ..., reasons: _Optional[_Union[CodeColumn, _Mapping]] = ..., warnings: _Optional[_Union[CodeColumn, _Mapping]] = ...) -> None: ...
