"""What this package brings to the command line; the options of ``harken score``.

What a command needs is imported when it runs, so that other commands start without grpc.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from harken_client.options import (
    WHERE,
    CaFile,
    CertFile,
    KeyFile,
    Language,
    ServerName,
    Target,
    UseTls,
    option,
    tls_of,
)
from harken_client.replay_command import REPLAY_HELP, replay

SCORE_HELP = """Score one grumble, or a few, on a running service.

Say what is known in options; whatever is left out is taken as not known:

  harken score --category charges --point bill_inaccurate --voiced-hours-ago 30 \\
    --resolution unresolved --brand gotone --vip gold --language zh

or send the JSON form of a ScoreRequest (a list of them makes a batch):

  echo '{"grumble": {"grumbleId": "g-1", "voiceTime": "2026-03-01T08:00:00Z"}}' \\
    | harken score --json -

Exit codes: 0 scored, 1 the server is in trouble or away, 2 the request is wrong.
"""


class Output(StrEnum):
    """How ``score`` answers."""

    table = "table"
    json = "json"


_GRUMBLE = "The grumble"
_CUSTOMER = "The customer"


Text = str | None
Flag = bool | None


def register(app: typer.Typer) -> None:
    """Add ``score`` and ``replay`` to the command line."""
    app.command("score", help=SCORE_HELP, no_args_is_help=True)(score)
    app.command("replay", help=REPLAY_HELP, no_args_is_help=True)(replay)


def score(
    grumble_id: Annotated[
        Text, option("Your id; made up if absent.", "--id", panel=_GRUMBLE)
    ] = None,
    category: Annotated[
        Text, option("Level-1 code: charges, basic_comms ...", panel=_GRUMBLE)
    ] = None,
    service: Annotated[Text, option("Level-2 code (service item).", panel=_GRUMBLE)] = None,
    point: Annotated[Text, option("Level-3 code: bill_inaccurate ...", panel=_GRUMBLE)] = None,
    channel: Annotated[Text, option("hotline, hall, web, app ...", panel=_GRUMBLE)] = None,
    voiced_hours_ago: Annotated[
        float | None, option("Hours before --observed. Default: just now.", panel=_GRUMBLE)
    ] = None,
    voiced: Annotated[
        Text, option("Or when it was voiced, ISO 8601 with offset.", panel=_GRUMBLE)
    ] = None,
    observed: Annotated[
        Text, option("Score as of this time. Default: now.", panel=_GRUMBLE)
    ] = None,
    resolution: Annotated[
        Text,
        option(
            "unresolved, minor_part, major_part, all_dissatisfied, all_satisfied.", panel=_GRUMBLE
        ),
    ] = None,
    dissatisfied: Annotated[
        Flag, option("Audibly dissatisfied?", "--dissatisfied/--calm", panel=_GRUMBLE)
    ] = None,
    company_responsible: Annotated[
        Flag,
        option("Is the company responsible?", "--responsible/--not-responsible", panel=_GRUMBLE),
    ] = None,
    problem_exists: Annotated[
        Flag, option("Does a problem exist?", "--problem/--no-problem", panel=_GRUMBLE)
    ] = None,
    customer_id: Annotated[Text, option("Your id of the customer.", panel=_CUSTOMER)] = None,
    brand: Annotated[Text, option("gotone, mzone, easyown.", panel=_CUSTOMER)] = None,
    age: Annotated[int | None, option("Years.", panel=_CUSTOMER)] = None,
    tenure_months: Annotated[int | None, option("Months on the network.", panel=_CUSTOMER)] = None,
    spend: Annotated[float | None, option("Yuan a month.", panel=_CUSTOMER)] = None,
    vip: Annotated[Text, option("none, ordinary, silver, gold, diamond.", panel=_CUSTOMER)] = None,
    credit_level: Annotated[int | None, option("1 lowest to 5 highest.", panel=_CUSTOMER)] = None,
    segment: Annotated[
        Text, option("If you know it; else from the profile.", panel=_CUSTOMER)
    ] = None,
    behaviour_type: Annotated[Text, option("tariff_sensitive ...", panel=_CUSTOMER)] = None,
    fields: Annotated[
        list[str] | None,
        option(
            "Any other core field, NAME=VALUE: grumble_count_30d=3", "--set", metavar="NAME=VALUE"
        ),
    ] = None,
    attributes: Annotated[
        list[str] | None,
        option(
            "An operator's own field: plan=gold, score=3.5", "--attribute", metavar="NAME=VALUE"
        ),
    ] = None,
    json_file: Annotated[
        str | None,
        option("A ScoreRequest, or a list of them; - is stdin.", "--json", metavar="FILE"),
    ] = None,
    language: Language = "en",
    explain: Annotated[
        bool, option("Also every fact, fired rule and contribution.", "--explain")
    ] = False,
    output: Annotated[Output, option("How to answer.")] = Output.table,
    timeout: Annotated[float, option("Seconds to wait.", panel=WHERE)] = 10.0,
    target: Target = "127.0.0.1:50051",
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``SCORE_HELP``."""
    from harken_client import scoring

    given = {
        "grumble_id": grumble_id,
        "category": category,
        "service": service,
        "point": point,
        "channel": channel,
        "resolution_state": resolution,
        "dissatisfied": dissatisfied,
        "company_responsible": company_responsible,
        "problem_exists": problem_exists,
        "customer_id": customer_id,
        "brand": brand,
        "age_years": age,
        "tenure_months": tenure_months,
        "monthly_spend_yuan": spend,
        "vip_tier": vip,
        "credit_level": credit_level,
        "segment": segment,
        "behaviour_type": behaviour_type,
    }
    asked = scoring.Asked(
        fields=given,
        more_fields=fields or (),
        attributes=attributes or (),
        voiced_hours_ago=voiced_hours_ago,
        voiced=voiced,
        observed=observed,
        json_file=json_file,
        language=language,
        explain=explain,
    )
    code = scoring.run(
        asked,
        target=target,
        tls=tls_of(tls, ca, cert, key, server_name),
        timeout=timeout,
        machine=output is Output.json,
    )
    raise typer.Exit(code)
