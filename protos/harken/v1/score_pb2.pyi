from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Department(_message.Message):
    __slots__ = ["code", "name"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ["base_value", "contributions", "facts", "rules"]
    BASE_VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    base_value: float
    contributions: _containers.RepeatedCompositeFieldContainer[FeatureContribution]
    facts: _containers.RepeatedCompositeFieldContainer[FactValue]
    rules: _containers.RepeatedCompositeFieldContainer[FiredRule]
    def __init__(self, facts: _Optional[_Iterable[_Union[FactValue, _Mapping]]] = ..., rules: _Optional[_Iterable[_Union[FiredRule, _Mapping]]] = ..., contributions: _Optional[_Iterable[_Union[FeatureContribution, _Mapping]]] = ..., base_value: _Optional[float] = ...) -> None: ...

class FactValue(_message.Message):
    __slots__ = ["label", "missing", "name", "source", "value"]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    label: str
    missing: bool
    name: str
    source: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., label: _Optional[str] = ..., source: _Optional[str] = ..., missing: bool = ...) -> None: ...

class FeatureContribution(_message.Message):
    __slots__ = ["contribution", "feature", "value"]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    contribution: float
    feature: str
    value: str
    def __init__(self, feature: _Optional[str] = ..., value: _Optional[str] = ..., contribution: _Optional[float] = ...) -> None: ...

class FiredRule(_message.Message):
    __slots__ = ["because", "characteristic", "decision", "file", "line", "partial_score", "rule_id"]
    BECAUSE_FIELD_NUMBER: _ClassVar[int]
    CHARACTERISTIC_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_SCORE_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    because: str
    characteristic: str
    decision: str
    file: str
    line: int
    partial_score: float
    rule_id: str
    def __init__(self, decision: _Optional[str] = ..., rule_id: _Optional[str] = ..., file: _Optional[str] = ..., line: _Optional[int] = ..., partial_score: _Optional[float] = ..., characteristic: _Optional[str] = ..., because: _Optional[str] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ["code", "text"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Score(_message.Message):
    __slots__ = ["behaviour_type", "behaviour_type_text", "contact_policy", "contact_policy_text", "decision_id", "escalation_chain", "explanation", "level", "model_digest", "owner", "probability", "reasons", "reply_deadline_time", "resolve_deadline_time", "rule_base_digest", "segment", "segment_text", "severity", "strategies", "supporting_departments", "tolerance", "tolerance_text", "treatment", "treatment_text", "warnings"]
    BEHAVIOUR_TYPE_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOUR_TYPE_TEXT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_POLICY_FIELD_NUMBER: _ClassVar[int]
    CONTACT_POLICY_TEXT_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    ESCALATION_CHAIN_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    REPLY_DEADLINE_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_DEADLINE_TIME_FIELD_NUMBER: _ClassVar[int]
    RULE_BASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_TEXT_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    SUPPORTING_DEPARTMENTS_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_TEXT_FIELD_NUMBER: _ClassVar[int]
    TREATMENT_FIELD_NUMBER: _ClassVar[int]
    TREATMENT_TEXT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    behaviour_type: str
    behaviour_type_text: str
    contact_policy: str
    contact_policy_text: str
    decision_id: str
    escalation_chain: _containers.RepeatedCompositeFieldContainer[Department]
    explanation: Explanation
    level: int
    model_digest: str
    owner: Department
    probability: float
    reasons: _containers.RepeatedCompositeFieldContainer[Reason]
    reply_deadline_time: _timestamp_pb2.Timestamp
    resolve_deadline_time: _timestamp_pb2.Timestamp
    rule_base_digest: str
    segment: str
    segment_text: str
    severity: float
    strategies: _containers.RepeatedCompositeFieldContainer[Strategy]
    supporting_departments: _containers.RepeatedCompositeFieldContainer[Department]
    tolerance: str
    tolerance_text: str
    treatment: str
    treatment_text: str
    warnings: _containers.RepeatedCompositeFieldContainer[Warning]
    def __init__(self, decision_id: _Optional[str] = ..., level: _Optional[int] = ..., probability: _Optional[float] = ..., severity: _Optional[float] = ..., segment: _Optional[str] = ..., segment_text: _Optional[str] = ..., behaviour_type: _Optional[str] = ..., behaviour_type_text: _Optional[str] = ..., tolerance: _Optional[str] = ..., tolerance_text: _Optional[str] = ..., reasons: _Optional[_Iterable[_Union[Reason, _Mapping]]] = ..., treatment: _Optional[str] = ..., treatment_text: _Optional[str] = ..., contact_policy: _Optional[str] = ..., contact_policy_text: _Optional[str] = ..., strategies: _Optional[_Iterable[_Union[Strategy, _Mapping]]] = ..., owner: _Optional[_Union[Department, _Mapping]] = ..., supporting_departments: _Optional[_Iterable[_Union[Department, _Mapping]]] = ..., escalation_chain: _Optional[_Iterable[_Union[Department, _Mapping]]] = ..., reply_deadline_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., resolve_deadline_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[Warning, _Mapping]]] = ..., rule_base_digest: _Optional[str] = ..., model_digest: _Optional[str] = ..., explanation: _Optional[_Union[Explanation, _Mapping]] = ...) -> None: ...

class Strategy(_message.Message):
    __slots__ = ["code", "expectation", "script", "steps", "title"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    EXPECTATION_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    code: str
    expectation: str
    script: str
    steps: _containers.RepeatedScalarFieldContainer[str]
    title: str
    def __init__(self, code: _Optional[str] = ..., title: _Optional[str] = ..., steps: _Optional[_Iterable[str]] = ..., script: _Optional[str] = ..., expectation: _Optional[str] = ...) -> None: ...

class Warning(_message.Message):
    __slots__ = ["code", "text"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...
