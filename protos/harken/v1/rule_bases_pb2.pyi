from google.protobuf import timestamp_pb2 as _timestamp_pb2
from harken.v1 import scoring_pb2 as _scoring_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActivateRuleBaseRevisionRequest(_message.Message):
    __slots__ = ["author", "digest", "message"]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    author: str
    digest: str
    message: str
    def __init__(self, digest: _Optional[str] = ..., author: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ActivateRuleBaseRevisionResponse(_message.Message):
    __slots__ = ["activation"]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    activation: RuleBaseActivation
    def __init__(self, activation: _Optional[_Union[RuleBaseActivation, _Mapping]] = ...) -> None: ...

class ChangedCount(_message.Message):
    __slots__ = ["code", "count", "former_count"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FORMER_COUNT_FIELD_NUMBER: _ClassVar[int]
    code: str
    count: int
    former_count: int
    def __init__(self, code: _Optional[str] = ..., former_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class CreateRuleBaseRevisionRequest(_message.Message):
    __slots__ = ["author", "files", "message", "validate_only"]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    author: str
    files: _containers.RepeatedCompositeFieldContainer[RuleBaseFile]
    message: str
    validate_only: bool
    def __init__(self, files: _Optional[_Iterable[_Union[RuleBaseFile, _Mapping]]] = ..., author: _Optional[str] = ..., message: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class CreateRuleBaseRevisionResponse(_message.Message):
    __slots__ = ["created", "digest", "findings", "revision"]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    created: bool
    digest: str
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    revision: RuleBaseRevision
    def __init__(self, revision: _Optional[_Union[RuleBaseRevision, _Mapping]] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., digest: _Optional[str] = ..., created: bool = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ["column", "file", "hint", "id", "line", "message", "rendered_text", "severity"]
    class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RENDERED_TEXT_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_ERROR: Finding.Severity
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_UNSPECIFIED: Finding.Severity
    SEVERITY_WARNING: Finding.Severity
    column: int
    file: str
    hint: str
    id: str
    line: int
    message: str
    rendered_text: str
    severity: Finding.Severity
    def __init__(self, id: _Optional[str] = ..., severity: _Optional[_Union[Finding.Severity, str]] = ..., message: _Optional[str] = ..., file: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., hint: _Optional[str] = ..., rendered_text: _Optional[str] = ...) -> None: ...

class GetRuleBaseRevisionRequest(_message.Message):
    __slots__ = ["digest", "include_files"]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_FILES_FIELD_NUMBER: _ClassVar[int]
    digest: str
    include_files: bool
    def __init__(self, digest: _Optional[str] = ..., include_files: bool = ...) -> None: ...

class GetRuleBaseRevisionResponse(_message.Message):
    __slots__ = ["files", "revision"]
    FILES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[RuleBaseFile]
    revision: RuleBaseRevision
    def __init__(self, revision: _Optional[_Union[RuleBaseRevision, _Mapping]] = ..., files: _Optional[_Iterable[_Union[RuleBaseFile, _Mapping]]] = ...) -> None: ...

class GetServingStateRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetServingStateResponse(_message.Message):
    __slots__ = ["activation", "active", "durable", "last_error", "shadow", "watched_folder", "workers"]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    DURABLE_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    WATCHED_FOLDER_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    activation: RuleBaseActivation
    active: RuleBaseRevision
    durable: bool
    last_error: ServingError
    shadow: ShadowState
    watched_folder: str
    workers: _containers.RepeatedCompositeFieldContainer[WorkerState]
    def __init__(self, active: _Optional[_Union[RuleBaseRevision, _Mapping]] = ..., activation: _Optional[_Union[RuleBaseActivation, _Mapping]] = ..., workers: _Optional[_Iterable[_Union[WorkerState, _Mapping]]] = ..., last_error: _Optional[_Union[ServingError, _Mapping]] = ..., shadow: _Optional[_Union[ShadowState, _Mapping]] = ..., watched_folder: _Optional[str] = ..., durable: bool = ...) -> None: ...

class LevelTransition(_message.Message):
    __slots__ = ["count", "former_level", "level"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FORMER_LEVEL_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    count: int
    former_level: int
    level: int
    def __init__(self, former_level: _Optional[int] = ..., level: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class ListRuleBaseRevisionsRequest(_message.Message):
    __slots__ = ["page_size", "page_token"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRuleBaseRevisionsResponse(_message.Message):
    __slots__ = ["next_page_token", "revisions"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    revisions: _containers.RepeatedCompositeFieldContainer[RuleBaseRevision]
    def __init__(self, revisions: _Optional[_Iterable[_Union[RuleBaseRevision, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RollbackRuleBaseRequest(_message.Message):
    __slots__ = ["author", "message"]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    author: str
    message: str
    def __init__(self, author: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class RollbackRuleBaseResponse(_message.Message):
    __slots__ = ["activation"]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    activation: RuleBaseActivation
    def __init__(self, activation: _Optional[_Union[RuleBaseActivation, _Mapping]] = ...) -> None: ...

class RuleBaseActivation(_message.Message):
    __slots__ = ["activate_time", "author", "digest", "former_digest", "message"]
    ACTIVATE_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    FORMER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    activate_time: _timestamp_pb2.Timestamp
    author: str
    digest: str
    former_digest: str
    message: str
    def __init__(self, digest: _Optional[str] = ..., former_digest: _Optional[str] = ..., author: _Optional[str] = ..., message: _Optional[str] = ..., activate_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RuleBaseFile(_message.Message):
    __slots__ = ["content", "path"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    path: str
    def __init__(self, path: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...

class RuleBaseRevision(_message.Message):
    __slots__ = ["activate_time", "active", "author", "create_time", "digest", "message", "name", "source"]
    class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ACTIVATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_PUBLISHED: RuleBaseRevision.Source
    SOURCE_START: RuleBaseRevision.Source
    SOURCE_UNSPECIFIED: RuleBaseRevision.Source
    SOURCE_WATCHED: RuleBaseRevision.Source
    activate_time: _timestamp_pb2.Timestamp
    active: bool
    author: str
    create_time: _timestamp_pb2.Timestamp
    digest: str
    message: str
    name: str
    source: RuleBaseRevision.Source
    def __init__(self, digest: _Optional[str] = ..., name: _Optional[str] = ..., author: _Optional[str] = ..., message: _Optional[str] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[_Union[RuleBaseRevision.Source, str]] = ..., active: bool = ..., activate_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ServingError(_message.Message):
    __slots__ = ["digest", "problems", "report_time", "source"]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    REPORT_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    digest: str
    problems: _containers.RepeatedScalarFieldContainer[str]
    report_time: _timestamp_pb2.Timestamp
    source: RuleBaseRevision.Source
    def __init__(self, report_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., digest: _Optional[str] = ..., source: _Optional[_Union[RuleBaseRevision.Source, str]] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class SetShadowRuleBaseRequest(_message.Message):
    __slots__ = ["digest", "sample_share"]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SHARE_FIELD_NUMBER: _ClassVar[int]
    digest: str
    sample_share: float
    def __init__(self, digest: _Optional[str] = ..., sample_share: _Optional[float] = ...) -> None: ...

class SetShadowRuleBaseResponse(_message.Message):
    __slots__ = ["shadow"]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    shadow: ShadowState
    def __init__(self, shadow: _Optional[_Union[ShadowState, _Mapping]] = ...) -> None: ...

class ShadowState(_message.Message):
    __slots__ = ["active_digest", "changed_level_count", "digest", "failed_count", "sample_share", "scored_count", "skipped_count", "start_time", "transitions"]
    ACTIVE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CHANGED_LEVEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SHARE_FIELD_NUMBER: _ClassVar[int]
    SCORED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    active_digest: str
    changed_level_count: int
    digest: str
    failed_count: int
    sample_share: float
    scored_count: int
    skipped_count: int
    start_time: _timestamp_pb2.Timestamp
    transitions: _containers.RepeatedCompositeFieldContainer[LevelTransition]
    def __init__(self, digest: _Optional[str] = ..., active_digest: _Optional[str] = ..., sample_share: _Optional[float] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., scored_count: _Optional[int] = ..., skipped_count: _Optional[int] = ..., failed_count: _Optional[int] = ..., changed_level_count: _Optional[int] = ..., transitions: _Optional[_Iterable[_Union[LevelTransition, _Mapping]]] = ...) -> None: ...

class SimulateRuleBaseRequest(_message.Message):
    __slots__ = ["digest", "former_digest", "requests"]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    FORMER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    digest: str
    former_digest: str
    requests: _containers.RepeatedCompositeFieldContainer[_scoring_pb2.ScoreRequest]
    def __init__(self, digest: _Optional[str] = ..., former_digest: _Optional[str] = ..., requests: _Optional[_Iterable[_Union[_scoring_pb2.ScoreRequest, _Mapping]]] = ...) -> None: ...

class SimulateRuleBaseResponse(_message.Message):
    __slots__ = ["above_warning_line", "changed_level_count", "digest", "former_digest", "owners", "refused_count", "scored_count", "strategies", "transitions"]
    ABOVE_WARNING_LINE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_LEVEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    FORMER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SCORED_COUNT_FIELD_NUMBER: _ClassVar[int]
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    above_warning_line: ChangedCount
    changed_level_count: int
    digest: str
    former_digest: str
    owners: _containers.RepeatedCompositeFieldContainer[ChangedCount]
    refused_count: int
    scored_count: int
    strategies: _containers.RepeatedCompositeFieldContainer[ChangedCount]
    transitions: _containers.RepeatedCompositeFieldContainer[LevelTransition]
    def __init__(self, digest: _Optional[str] = ..., former_digest: _Optional[str] = ..., scored_count: _Optional[int] = ..., refused_count: _Optional[int] = ..., changed_level_count: _Optional[int] = ..., transitions: _Optional[_Iterable[_Union[LevelTransition, _Mapping]]] = ..., strategies: _Optional[_Iterable[_Union[ChangedCount, _Mapping]]] = ..., owners: _Optional[_Iterable[_Union[ChangedCount, _Mapping]]] = ..., above_warning_line: _Optional[_Union[ChangedCount, _Mapping]] = ...) -> None: ...

class WorkerState(_message.Message):
    __slots__ = ["model_digest", "number", "rule_base_digest", "serving", "since_time"]
    MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RULE_BASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SERVING_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    model_digest: str
    number: int
    rule_base_digest: str
    serving: bool
    since_time: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[int] = ..., serving: bool = ..., rule_base_digest: _Optional[str] = ..., model_digest: _Optional[str] = ..., since_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
