"""How each source system writes its rows: columns, words, units, encoding, and a known share of wrong rows."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from data.demo.people import contacts, nobody
from data.places import provinces

WRONG_ROW_SHARE: Final = 0.001
"""Rows per thousand that are broken copies: an id is missing, a date cannot be read, a number is a word."""

ORDER_SYSTEM_CODES: Final = ("held", "fraud", "address")
WAREHOUSE_CODES: Final = ("stock_out", "damaged", "weather")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source system: name, file ending and encoding, how often it writes, and the instants that make it write a row.

    `changes` are columns of the simulated rows; `code_changes` limit `exception_at` to the codes this system notes.
    `identity`, `dates` and `number` name the columns of the file that wrong rows break.
    """

    name: str
    suffix: str
    encoding: str
    period: timedelta
    changes: tuple[str, ...]
    codes: tuple[str, ...]
    identity: str
    dates: tuple[str, ...]
    number: str | None = None


OMS: Final = Source(
    name="oms",
    suffix=".csv",
    encoding="utf-8",
    period=timedelta(minutes=1),
    changes=(
        "created_at",
        "paid_at",
        "approved_at",
        "allocated_at",
        "cancelled_at",
        "return_requested_at",
        "returned_at",
        "refunded_at",
    ),
    codes=ORDER_SYSTEM_CODES,
    identity="order_no",
    dates=("create_time", "promise_time"),
    number="amount_fen",
)

WMS: Final = Source(
    name="wms",
    suffix=".csv",
    encoding="gb18030",
    period=timedelta(minutes=2),
    changes=("accepted_at", "picked_at", "packed_at", "shipped_at"),
    codes=WAREHOUSE_CODES,
    identity="订单号",
    dates=("接单时间", "拣货完成时间"),
)

TMS: Final = Source(
    name="tms",
    suffix=".jsonl",
    encoding="utf-8",
    period=timedelta(minutes=5),
    changes=("shipped_at", "out_for_delivery_at", "delivered_at", "attempt_1_at", "attempt_2_at"),
    codes=("failed_attempt",),
    identity="orderNo",
    dates=("pickedUp",),
    number="freight",
)

CRM_RETURNS: Final = Source(
    name="crm_returns",
    suffix=".csv",
    encoding="utf-8-sig",
    period=timedelta(minutes=10),
    changes=("return_requested_at", "return_received_at", "return_closed_at"),
    codes=(),
    identity="return_no",
    dates=("requested",),
)

CRM_COMPLAINTS: Final = Source(
    name="crm_complaints",
    suffix=".csv",
    encoding="utf-8-sig",
    period=timedelta(minutes=10),
    changes=("complaint_created_at", "complaint_closed_at"),
    codes=(),
    identity="complaint_no",
    dates=("raised",),
)

SOURCES: Final = {source.name: source for source in (OMS, WMS, TMS, CRM_RETURNS, CRM_COMPLAINTS)}


def changed_between(source: Source, since: pl.Expr, as_of: pl.Expr) -> pl.Expr:
    """Whether a simulated row has an instant of this source in (since, as_of]."""
    marks = [(pl.col(name) > since) & (pl.col(name) <= as_of) for name in source.changes]
    if source.codes:
        noted = (pl.col("exception_at") > since) & (pl.col("exception_at") <= as_of)
        marks.append(noted & pl.col("exception_code").is_in(source.codes))
    return pl.any_horizontal(marks).fill_null(False)


def shape(source: Source, known: pl.DataFrame, zone: ZoneInfo, *, has_contacts: bool = False) -> pl.DataFrame:
    """Rows as the source writes them, every column text; `known` comes from `as_known`."""
    columns = {OMS.name: _oms, WMS.name: _wms, TMS.name: _tms, CRM_RETURNS.name: _returns, CRM_COMPLAINTS.name: _complaints}
    people = (contacts(_province()) if has_contacts else nobody()) if source is OMS else {}
    return known.select(**columns[source.name](zone), **people)


def add_wrong_rows(source: Source, rows: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """The rows and, at the known share, broken copies of some of them at the end."""
    count = int(random.binomial(rows.height, WRONG_ROW_SHARE)) if rows.height else 0
    if not count:
        return rows
    ways = [(source.identity, ""), *((name, "2026-13-45 99:00:00") for name in source.dates)]
    if source.number:
        ways.append((source.number, "n/a"))
    copies = [
        rows[int(position)].with_columns(pl.lit(value).alias(column))
        for position in random.integers(0, rows.height, count)
        for column, value in [ways[int(random.integers(0, len(ways)))]]
    ]
    return pl.concat([rows, *copies])


def encode(source: Source, rows: pl.DataFrame) -> bytes:
    """The file's content."""
    if source.suffix == ".jsonl":
        buffer = io.BytesIO()
        rows.write_ndjson(buffer)
        return buffer.getvalue()
    text: str = rows.write_csv()
    return text.encode(source.encoding)


def _clock(name: str, zone: ZoneInfo) -> pl.Expr:
    """An instant as the naive local text of the business zone."""
    return pl.col(name).dt.convert_time_zone(str(zone)).dt.strftime("%Y-%m-%d %H:%M:%S")


def _offset_clock(name: str, zone: ZoneInfo) -> pl.Expr:
    """An instant as ISO 8601 with the zone's offset."""
    return pl.col(name).dt.convert_time_zone(str(zone)).dt.strftime("%Y-%m-%dT%H:%M:%S%:z")


def _text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String)


def _fen(name: str) -> pl.Expr:
    """Money in hundredths, as systems that fear fractions keep it."""
    return (pl.col(name) * 100).round(0).cast(pl.Int64).cast(pl.String)


def _own_code(source: Source, then: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("exception_code").is_in(source.codes)).then(then)


@cache
def _province_names() -> pl.DataFrame:
    chinese = [province for province in provinces() if province.country_code == "CN"]
    return pl.DataFrame({"code": [p.code for p in chinese], "name": [p.name_zh for p in chinese]})


def _province() -> pl.Expr:
    names = _province_names()
    return pl.col("province_code").replace(names["code"], names["name"])


def _oms(zone: ZoneInfo) -> dict[str, pl.Expr]:
    return {
        "order_no": pl.col("order_id"),
        "shop": pl.col("channel").str.to_uppercase(),
        "biz_type": pl.col("business_type"),
        "province": _province(),
        "city": pl.col("city"),
        "lat": _text("latitude"),
        "lng": _text("longitude"),
        "category": pl.col("category"),
        "item_lines": _text("line_count"),
        "item_qty": _text("quantity"),
        "amount_fen": _fen("amount"),
        "currency": pl.col("currency"),
        "member_level": pl.col("customer_tier"),
        "priority": pl.col("priority"),
        "warehouse": pl.col("warehouse_id"),
        "hold_code": _own_code(OMS, pl.col("exception_code")),
        "hold_time": _own_code(OMS, _clock("exception_at", zone)),
        "promise_ship_time": _clock("promised_ship_at", zone),
        "promise_time": _clock("promised_at", zone),
        "create_time": _clock("created_at", zone),
        "pay_time": _clock("paid_at", zone),
        "audit_time": _clock("approved_at", zone),
        "allocate_time": _clock("allocated_at", zone),
        "cancel_time": _clock("cancelled_at", zone),
        "return_apply_time": _clock("return_requested_at", zone),
        "return_time": _clock("returned_at", zone),
        "refund_time": _clock("refunded_at", zone),
    }


def _wms(zone: ZoneInfo) -> dict[str, pl.Expr]:
    return {
        "平台": pl.col("channel"),
        "订单号": pl.col("order_id"),
        "仓库": pl.col("warehouse_id"),
        "大区": pl.col("warehouse_region_code"),
        "波次": pl.col("wave_id"),
        "接单时间": _clock("accepted_at", zone),
        "拣货完成时间": _clock("picked_at", zone),
        "打包完成时间": _clock("packed_at", zone),
        "出库时间": _clock("shipped_at", zone),
        "承运商": pl.col("carrier_id"),
        "异常代码": _own_code(WMS, pl.col("exception_code")),
        "异常时间": _own_code(WMS, _clock("exception_at", zone)),
    }


def _tms(zone: ZoneInfo) -> dict[str, pl.Expr]:
    return {
        "platform": pl.col("channel"),
        "orderNo": pl.col("order_id"),
        "waybill": pl.lit("WB") + pl.col("order_id").str.slice(-11),
        "carrier": pl.col("carrier_id"),
        "pickedUp": _offset_clock("shipped_at", zone),
        "outForDelivery": _offset_clock("out_for_delivery_at", zone),
        "delivered": _offset_clock("delivered_at", zone),
        "deliveredQty": _text("delivered_quantity"),
        "failedAttempts": _text("failed_attempt_count"),
        "firstFailure": _own_code(TMS, _offset_clock("exception_at", zone)),
        "freight": _fen("freight_cost"),
    }


def _returns(zone: ZoneInfo) -> dict[str, pl.Expr]:
    return {
        "shop": pl.col("channel"),
        "return_no": pl.col("return_id"),
        "order_no": pl.col("order_id"),
        "kind": pl.col("return_kind"),
        "requested": _clock("return_requested_at", zone),
        "received": _clock("return_received_at", zone),
        "closed": _clock("return_closed_at", zone),
    }


def _complaints(zone: ZoneInfo) -> dict[str, pl.Expr]:
    return {
        "shop": pl.col("channel"),
        "complaint_no": pl.col("complaint_id"),
        "order_no": pl.col("order_id"),
        "kind": pl.col("complaint_kind"),
        "raised": _clock("complaint_created_at", zone),
        "settled": _clock("complaint_closed_at", zone),
    }
