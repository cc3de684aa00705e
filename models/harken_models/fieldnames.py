"""What columns are called, in English and Chinese: names of fields, words for channels."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harken_models.core import CORE_FIELDS

CUSTOMER = re.compile(
    r"^(?:cust(?:omer)?|caller|client|subscriber|account|user|member)(?:_?(?:id|no|number|key))?$"
    r"|客户|用户|手机号",
    re.IGNORECASE,
)
_FIELD_NAMES = (
    (
        "category",
        r"(?:complaint_|issue_)?type|category|product(?:_group|_line)?|类别|业务类型|投诉类型",
    ),
    ("service", r"service|sub_?category|sub_?product|子类|业务"),
    ("point", r"issue|(?:u_)?symptom|point|(?:complaint_)?reason|现象|原因|投诉原因"),
    ("channel", r"channel|contact_(?:type|channel)|(?:submitted_)?via|渠道|受理渠道"),
    ("age_years", r"age|年龄"),
    ("tenure_months", r"tenure(?:_months)?|网龄"),
)
_CHANNEL_WORDS = (
    ("hotline", r"phone|hotline|call|电话|热线"),
    ("email", r"e-?mail|邮件"),
    ("web", r"web|online|self.?service|portal|网站|网上"),
    ("app", r"\bapp\b|mobile|客户端"),
    ("sms", r"sms|短信"),
    ("mail", r"mail|letter|fax|post|信函|传真"),
    ("social", r"social|twitter|facebook|weibo|wechat|微博|微信"),
    ("hall", r"branch|hall|store|shop|walk.?in|in person|direct|营业厅"),
    ("referral", r"referral|转办"),
)
LOG_COUNTS = {
    "reassignment_count": "handover_count",
    "reopen_count": "reopening_count",
    "sys_mod_count": "change_count",
}
OPENED = re.compile(r"voice|receiv|open|creat|start|report|submit|regist|受理|登记|创建|发生", re.I)
OTHER_TIME = re.compile(r"updat|modif|sent|birth|due|contract|更新|生日|到期", re.IGNORECASE)
LATER = re.compile(
    r"closed?|resolved?|(?:^|[_ ])end(?:ed)?(?:$|[_ ])|final|result|variant|结果|关闭|完结|办结",
    re.IGNORECASE,
)


def normal(name: str) -> str:
    """A name as the patterns have it: MonthlyCharges and monthly charges are monthly_charges."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", parted).strip("_").lower()


def channels(texts: Iterable[str]) -> dict[str, str]:
    """The codes of those texts that name a known channel."""
    found: dict[str, str] = {}
    for text in sorted(texts):
        for code, pattern in _CHANNEL_WORDS:
            if re.search(pattern, text, re.IGNORECASE):
                found[text] = code
                break
    return found


def core_named(name: str) -> str | None:
    """The core field that a column's name means, None if none."""
    name = normal(name)
    if name in CORE_FIELDS:
        return name
    return next((core for core, pattern in _FIELD_NAMES if re.fullmatch(pattern, name)), None)
