from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

CHANNEL_ACCOUNT_MANAGER: Channel
CHANNEL_APP: Channel
CHANNEL_EMAIL: Channel
CHANNEL_HALL: Channel
CHANNEL_HOTLINE: Channel
CHANNEL_KIOSK: Channel
CHANNEL_MAIL: Channel
CHANNEL_ON_SITE: Channel
CHANNEL_OTHER: Channel
CHANNEL_REFERRAL: Channel
CHANNEL_SMS: Channel
CHANNEL_SOCIAL: Channel
CHANNEL_UNSPECIFIED: Channel
CHANNEL_WAP: Channel
CHANNEL_WEB: Channel
DESCRIPTOR: _descriptor.FileDescriptor
RESOLUTION_STATE_ALL_DISSATISFIED: ResolutionState
RESOLUTION_STATE_ALL_SATISFIED: ResolutionState
RESOLUTION_STATE_MAJOR_PART: ResolutionState
RESOLUTION_STATE_MINOR_PART: ResolutionState
RESOLUTION_STATE_UNRESOLVED: ResolutionState
RESOLUTION_STATE_UNSPECIFIED: ResolutionState
VIP_TIER_DIAMOND: VipTier
VIP_TIER_GOLD: VipTier
VIP_TIER_NONE: VipTier
VIP_TIER_ORDINARY: VipTier
VIP_TIER_SILVER: VipTier
VIP_TIER_UNSPECIFIED: VipTier

class AttributeValue(_message.Message):
    __slots__ = ["flag", "number", "text"]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    flag: bool
    number: float
    text: str
    def __init__(self, text: _Optional[str] = ..., number: _Optional[float] = ..., flag: bool = ...) -> None: ...

class CustomerProfile(_message.Message):
    __slots__ = ["age_years", "arrears_count", "behaviour_type", "brand", "corporate_contact", "credit_level", "data_mb", "monthly_spend_yuan", "segment", "sms_count", "suspension_count", "tenure_months", "use_minutes", "vip_tier"]
    AGE_YEARS_FIELD_NUMBER: _ClassVar[int]
    ARREARS_COUNT_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOUR_TYPE_FIELD_NUMBER: _ClassVar[int]
    BRAND_FIELD_NUMBER: _ClassVar[int]
    CORPORATE_CONTACT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_LEVEL_FIELD_NUMBER: _ClassVar[int]
    DATA_MB_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_SPEND_YUAN_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SMS_COUNT_FIELD_NUMBER: _ClassVar[int]
    SUSPENSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    TENURE_MONTHS_FIELD_NUMBER: _ClassVar[int]
    USE_MINUTES_FIELD_NUMBER: _ClassVar[int]
    VIP_TIER_FIELD_NUMBER: _ClassVar[int]
    age_years: int
    arrears_count: int
    behaviour_type: str
    brand: str
    corporate_contact: bool
    credit_level: int
    data_mb: float
    monthly_spend_yuan: float
    segment: str
    sms_count: int
    suspension_count: int
    tenure_months: int
    use_minutes: float
    vip_tier: VipTier
    def __init__(self, brand: _Optional[str] = ..., age_years: _Optional[int] = ..., tenure_months: _Optional[int] = ..., monthly_spend_yuan: _Optional[float] = ..., use_minutes: _Optional[float] = ..., data_mb: _Optional[float] = ..., sms_count: _Optional[int] = ..., arrears_count: _Optional[int] = ..., suspension_count: _Optional[int] = ..., vip_tier: _Optional[_Union[VipTier, str]] = ..., credit_level: _Optional[int] = ..., corporate_contact: bool = ..., segment: _Optional[str] = ..., behaviour_type: _Optional[str] = ...) -> None: ...

class Grumble(_message.Message):
    __slots__ = ["category", "channel", "company_responsible", "customer_id", "dissatisfied", "grumble_id", "observe_time", "point", "problem_exists", "resolution_state", "service", "voice_time"]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    COMPANY_RESPONSIBLE_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    DISSATISFIED_FIELD_NUMBER: _ClassVar[int]
    GRUMBLE_ID_FIELD_NUMBER: _ClassVar[int]
    OBSERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_EXISTS_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_STATE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VOICE_TIME_FIELD_NUMBER: _ClassVar[int]
    category: str
    channel: Channel
    company_responsible: bool
    customer_id: str
    dissatisfied: bool
    grumble_id: str
    observe_time: _timestamp_pb2.Timestamp
    point: str
    problem_exists: bool
    resolution_state: ResolutionState
    service: str
    voice_time: _timestamp_pb2.Timestamp
    def __init__(self, grumble_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., category: _Optional[str] = ..., service: _Optional[str] = ..., point: _Optional[str] = ..., channel: _Optional[_Union[Channel, str]] = ..., voice_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., observe_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., resolution_state: _Optional[_Union[ResolutionState, str]] = ..., dissatisfied: bool = ..., company_responsible: bool = ..., problem_exists: bool = ...) -> None: ...

class History(_message.Message):
    __slots__ = ["complaint_count_30d", "complaint_count_90d", "days_since_contact", "grumble_count_30d", "grumble_count_90d", "same_point_count_90d"]
    COMPLAINT_COUNT_30D_FIELD_NUMBER: _ClassVar[int]
    COMPLAINT_COUNT_90D_FIELD_NUMBER: _ClassVar[int]
    DAYS_SINCE_CONTACT_FIELD_NUMBER: _ClassVar[int]
    GRUMBLE_COUNT_30D_FIELD_NUMBER: _ClassVar[int]
    GRUMBLE_COUNT_90D_FIELD_NUMBER: _ClassVar[int]
    SAME_POINT_COUNT_90D_FIELD_NUMBER: _ClassVar[int]
    complaint_count_30d: int
    complaint_count_90d: int
    days_since_contact: float
    grumble_count_30d: int
    grumble_count_90d: int
    same_point_count_90d: int
    def __init__(self, grumble_count_30d: _Optional[int] = ..., grumble_count_90d: _Optional[int] = ..., complaint_count_30d: _Optional[int] = ..., complaint_count_90d: _Optional[int] = ..., same_point_count_90d: _Optional[int] = ..., days_since_contact: _Optional[float] = ...) -> None: ...

class ResolutionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Channel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class VipTier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
