"""Contracts: one YAML per source, saying how its rows become orders, events, returns or complaints.

Validated on load; an error names the file, the line, the reason and, for a misspelt word, what was probably meant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

import sqlglot
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)
from sqlglot import exp

from data.instant import SPECIAL_FORMATS
from data.order import (
    COMPLAINT_COLUMNS,
    COMPLAINT_KEY,
    EVENT_COLUMNS,
    EVENT_KEY,
    FORWARD_MILESTONES,
    MILESTONE_BIT,
    MILESTONES,
    ORDER_COLUMNS,
    ORDER_KEY,
    RETURN_COLUMNS,
    RETURN_KEY,
    Column,
)
from data.yaml_text import YamlFault, load_yaml

Kind = Literal["orders", "events", "returns", "complaints"]
Format = Literal["csv", "jsonl", "parquet", "xlsx", "postgres", "mysql"]

KIND_COLUMNS: Final[dict[str, tuple[Column, ...]]] = {
    "orders": ORDER_COLUMNS,
    "events": EVENT_COLUMNS,
    "returns": RETURN_COLUMNS,
    "complaints": COMPLAINT_COLUMNS,
}
KIND_KEY: Final[dict[str, tuple[str, ...]]] = {
    "orders": ORDER_KEY,
    "events": EVENT_KEY,
    "returns": RETURN_KEY,
    "complaints": COMPLAINT_KEY,
}
SHIPPED_CONTRACTS: Final = Path(__file__).resolve().parent / "contracts"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class ContractError(ValueError):
    """A contract cannot be used; one line per fault, each naming the line, the reason and the remedy."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """«: did you mean 'x'?» for the nearest known word, else the list of known words."""
    choices = sorted(known)
    return _near(word, choices) or f": known are {', '.join(choices)}"


def _near(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f": did you mean {near[0]!r}?" if near else ""


def _to_seconds(value: object) -> object:
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", value.strip())):
        return float(found[1]) * _UNITS[found[2]]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no duration: write seconds as a number, or for example 30s, 5m, 2h, 1d")
    return value


def _to_word(value: object) -> object:
    """A word as YAML gives it: numbers and dates are taken as written, null and booleans need quotes."""
    if value is None or isinstance(value, bool):
        raise ValueError(f"YAML reads this as {value}, not as a word: put it in quotes")
    return value if isinstance(value, str) else str(value)


def _check_zone(name: str) -> str:
    if name and name not in available_timezones():
        raise ValueError(f"time zone {name!r} does not exist{did_you_mean(name, available_timezones())}")
    return name


Duration = Annotated[float, BeforeValidator(_to_seconds)]
Word = Annotated[str, BeforeValidator(_to_word)]
Zone = Annotated[str, AfterValidator(_check_zone)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reader(_Strict):
    """Where the rows are and how they are written."""

    format: Format = "csv"
    path: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    sheet: str = ""
    skip_rows: int = Field(default=0, ge=0)
    connection: str = ""
    table: str = ""
    manifest: bool = False
    must_end_with_newline: bool = False
    max_unpacked_bytes: int = 500_000_000

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError(f"encoding {name!r} does not exist: use for example utf-8, utf-16, gb18030") from None
        return name

    @field_validator("connection")
    @classmethod
    def _names_a_variable(cls, text: str) -> str:
        if text and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
            raise ValueError("connection is the name of an environment variable, never the connection string itself")
        return text

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `skip_rows` where there are none: so a contract keeps the fingerprint it had before there was this key."""
        return {name: value for name, value in written(self).items() if name != "skip_rows" or value}

    @model_validator(mode="after")
    def _titles_of_sheets_and_texts(self) -> Reader:
        if self.skip_rows and self.format not in ("csv", "xlsx"):
            raise ValueError(f"reader format {self.format} has no rows above a header: skip_rows is for csv and xlsx")
        return self

    @model_validator(mode="after")
    def _complete_database(self) -> Reader:
        if self.format in ("postgres", "mysql"):
            for name in ("connection", "table"):
                if not getattr(self, name):
                    raise ValueError(f"reader format {self.format} needs {name!r}")
        return self

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, text: str) -> str:
        if len(text) != 1:
            raise ValueError(f'delimiter {text!r} is not one character: write a tab as "\\t"')
        return text


class AsOf(_Strict):
    """Where the source's own instant of a snapshot comes from."""

    from_: Literal["file_name", "column", "newest", "file_time", "constant"] = Field(alias="from")
    pattern: str = ""
    format: str = ""
    zone: Zone = ""
    column: str = ""
    value: Word = ""

    @model_validator(mode="after")
    def _complete(self) -> AsOf:
        needs = {"file_name": ("pattern", "format"), "column": ("column",), "constant": ("value",)}.get(self.from_, ())
        for name in needs:
            if not getattr(self, name):
                raise ValueError(f"as_of from {self.from_} needs {name!r}")
        if self.pattern and re.compile(self.pattern).groups < 1:
            raise ValueError("as_of pattern needs one group around the instant, for example 'orders_(\\d{8})'")
        if self.value:
            try:
                datetime.fromisoformat(self.value)
            except ValueError:
                raise ValueError(f"as_of value {self.value!r} is no instant: write for example 2026-01-31T18:00:00Z") from None
        return self


class Cadence(_Strict):
    """How old the newest snapshot may be before figures turn amber, then grey."""

    warn_after: Duration
    error_after: Duration

    @model_validator(mode="after")
    def _ordered(self) -> Cadence:
        if self.error_after < self.warn_after:
            raise ValueError("error_after is shorter than warn_after: swap them")
        return self


class StatusMap(_Strict):
    """The source's status words; `completed` says which milestone a finished order of this source has reached."""

    expression: str
    completed: Literal["shipped", "delivered"]
    map: dict[Word, dict[Word, str]]

    @field_validator("map")
    @classmethod
    def _milestones(cls, channels: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for channel, words in channels.items():
            for word, milestone in words.items():
                if milestone not in (*MILESTONES, "completed"):
                    hint = did_you_mean(milestone, (*MILESTONES, "completed"))
                    raise ValueError(f"status {word!r} of {channel!r} means {milestone!r}, which is no milestone{hint}")
        return channels

    def milestone(self, word: str) -> str:
        """The milestone a mapped word stands for, `completed` resolved."""
        return self.completed if word == "completed" else word


class Check(_Strict):
    """Limits of one canonical column: inclusive range, or a pattern the whole text must match."""

    min: float | None = None
    max: float | None = None
    pattern: str = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"pattern {text!r} is no regular expression: {error}") from None
        return text


PERSONAL_FIELDS: Final = ("name", "phone", "address")
"""What of a person a contract may name under `personal`, each as a column of the source."""


class Quarantine(_Strict):
    """A file with more refused rows than both limits is refused whole."""

    max_share: float = Field(default=0.01, ge=0, le=1)
    min_rows: int = Field(default=100, ge=0)


class Contract(_Strict):
    """One source: its rows' kind, how to read, map, check and merge them, and who owns it."""

    source: str
    kind: Kind = "orders"
    owner: str
    description: dict[Literal["en", "zh-CN"], str] = Field(default_factory=dict)
    reader: Reader = Reader()
    files: dict[str, Reader] = Field(default_factory=dict)
    rows: str = ""
    time_zone: Zone = "Asia/Shanghai"
    instant_formats: list[str] = Field(default_factory=list)
    as_of: AsOf
    priority: int = Field(default=50, ge=0, le=999)
    cadence: Cadence | Literal["once"] = "once"
    columns: dict[str, str]
    personal: dict[str, str] = Field(default_factory=dict)
    status: StatusMap | None = None
    milestones: dict[Word, str] = Field(default_factory=dict)
    promise: Literal["instant", "day"] = "instant"
    mandatory: list[str] = Field(default_factory=list)
    tolerate: list[str] = Field(default_factory=list)
    checks: dict[str, Check] = Field(default_factory=dict)
    null_words: list[Word] = Field(default_factory=lambda: [""])
    withdrawn: list[Word] = Field(default_factory=list)
    max_growth: float | None = Field(default=None, gt=1)
    quarantine: Quarantine = Quarantine()
    number_ids: bool = False

    @field_validator("source")
    @classmethod
    def _short_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(f"{name!r} is no short name: write a letter a-z, then a-z, 0-9 and _, for example web_shop")
        return name

    @field_validator("columns", mode="before")
    @classmethod
    def _as_text(cls, columns: object) -> object:
        if isinstance(columns, dict):
            if wrong := [name for name, value in columns.items() if isinstance(value, bool)]:
                raise ValueError(
                    f"{wrong[0]!r}: YAML reads this as {columns[wrong[0]]}, not as a column's name: put it in quotes"
                )
            return {name: str(value) if isinstance(value, int | float) else value for name, value in columns.items()}
        return columns

    @field_validator("instant_formats")
    @classmethod
    def _known_formats(cls, formats: list[str]) -> list[str]:
        for text in formats:
            if "%" not in text and text not in SPECIAL_FORMATS:
                hint = did_you_mean(text, SPECIAL_FORMATS)
                raise ValueError(f"instant format {text!r} is neither a pattern such as %d/%m/%Y %H:%M nor a known word{hint}")
            if faulty := re.search(r"%(?!-?[aAbBcdDfgGHIjmMnpSuUVwWxXyYzZ%])", text):
                raise ValueError(
                    f"instant format {text!r} has an unknown mark at {text[faulty.start() :]!r}: use %Y %m %d %H %M %S %z"
                )
        return formats

    @property
    def zone(self) -> ZoneInfo:
        """Zone of naive instants and of day promises in this source."""
        return ZoneInfo(self.time_zone)

    @property
    def key(self) -> tuple[str, ...]:
        """The canonical key columns of this kind of rows."""
        return KIND_KEY[self.kind]

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which a row is refused: the key (an event's id may be derived) and the mandatory ones."""
        key = [name for name in self.key if name != "event_id"]
        if self.kind in ("returns", "complaints"):
            key.append("order_id")
        return tuple(dict.fromkeys([*key, *self.mandatory]))

    @property
    def mapped_milestones(self) -> int:
        """Bit mask of the milestones this source can report, by instant, by status word or by event."""
        names = {name.removesuffix("_at") for name in self.columns} & set(MILESTONES) if self.kind == "orders" else set()
        if self.status:
            names |= {self.status.milestone(m) for words in self.status.map.values() for m in words.values()}
        if self.kind == "events":
            names |= set(self.milestones.values()) or set(FORWARD_MILESTONES)
        if self.kind == "returns":
            names |= {"return_requested", "returned", "refunded"}
        return sum(MILESTONE_BIT[name] for name in names)

    @property
    def undated_between(self) -> tuple[str, ...]:
        """Milestones that only a status word tells of, between two that columns date: the stages on both sides stay unmeasured."""
        if not self.status:
            return ()
        told = {self.status.milestone(meaning) for words in self.status.map.values() for meaning in words.values()}
        dated = [place for place, name in enumerate(FORWARD_MILESTONES) if f"{name}_at" in self.columns]
        between = FORWARD_MILESTONES[dated[0] : dated[-1]] if dated else ()
        return tuple(name for name in between if name in told and f"{name}_at" not in self.columns)

    @property
    def sha256(self) -> str:
        """Fingerprint of everything in this contract: its version."""
        without = None if self.number_ids else {"number_ids"}  # as it was before there was this key
        return hashlib.sha256(self.model_dump_json(by_alias=True, exclude=without).encode()).hexdigest()

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        faults = [*_column_faults(self), *_word_faults(self)]
        faults = faults or [*_personal_faults(self)]
        if faults:
            raise ValueError("\n".join(faults))
        return self


def _personal_faults(contract: Contract) -> Iterable[str]:
    if contract.personal and contract.kind != "orders":
        yield f"personal: is for kind orders, not {contract.kind}"
    used = {column.casefold() for text in contract.columns.values() for column in expression_columns(text)}
    for name, column in contract.personal.items():
        if name not in PERSONAL_FIELDS:
            yield f"personal: {name!r} is none of {', '.join(PERSONAL_FIELDS)}"
        elif column.casefold() in used and name != "address":
            yield f"personal: {column!r} is read by columns too: what is personal is masked before columns see it"


def _column_faults(contract: Contract) -> Iterable[str]:
    known = [column.name for column in KIND_COLUMNS[contract.kind]]
    for part in ("columns", "mandatory", "tolerate", "checks"):
        for name in getattr(contract, part):
            if name not in known:
                yield f"{part}: {name!r} is no canonical column of {contract.kind}{did_you_mean(name, known)}"
    for name in contract.required:
        if name not in contract.columns:
            yield f"columns: {name!r} is needed for every row of kind {contract.kind} but is not mapped"
    for name, text in contract.columns.items():
        try:
            expression_columns(text)
        except ContractError as error:
            yield f"columns: {name}: {error}"


def _word_faults(contract: Contract) -> Iterable[str]:
    for word, milestone in contract.milestones.items():
        if milestone not in MILESTONES:
            yield f"milestones: {word!r} means {milestone!r}, which is no milestone{did_you_mean(milestone, MILESTONES)}"
    if contract.reader.format in ("postgres", "mysql") and contract.as_of.from_ == "file_name":
        yield "as_of: a table has no file name: use from: column, newest or file_time (the moment it is fetched)"
    if contract.files and not contract.rows:
        yield "files need rows: give the SELECT that joins them"
    if contract.rows and not _is_select(contract.rows):
        yield "rows: is not one SELECT over the tables named in files (or over file, where there is one file)"
    if contract.status and contract.kind != "orders":
        yield f"status is for kind orders, not {contract.kind}"


def _is_select(text: str) -> bool:
    try:
        return [isinstance(part, exp.Query) for part in sqlglot.parse(text, dialect="duckdb")] == [True]
    except sqlglot.errors.SqlglotError:
        return False


def expression_columns(text: str) -> tuple[str, ...]:
    """Source columns an SQL expression reads, in order; raises ContractError when it is not one expression."""
    try:
        parsed = sqlglot.parse_one(text, dialect="duckdb")
    except sqlglot.errors.ParseError as error:
        raise ContractError(f"{text!r} is no SQL expression: {str(error).splitlines()[0]}") from None
    if isinstance(parsed, exp.Alias):
        raise ContractError(f"{text!r} is no SQL expression: write a name with spaces in double quotes, '\"{text}\"'")
    if parsed is None or isinstance(parsed, exp.Query | exp.Command | exp.DDL | exp.DML) or parsed.find(exp.Query):
        raise ContractError(f"{text!r} is no plain SQL expression over the source's columns")
    return tuple(dict.fromkeys(column.name for column in parsed.find_all(exp.Column)))


def read_contract(path: Path) -> Contract:
    """The contract in a YAML file. Raises ContractError with a line for each fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ContractError(f"{path}: cannot be read ({error.strerror}): give the path of a contract YAML") from None
    except UnicodeDecodeError:
        raise ContractError(f"{path}: is no UTF-8 text: save it as UTF-8") from None
    return parse_contract(text, name=str(path))


def parse_contract(text: str, *, name: str = "contract") -> Contract:
    """The contract in a YAML text; `name` is used in messages. Raises ContractError."""
    try:
        values = load_yaml(text)
    except YamlFault as error:
        raise ContractError(f"{name}{error}") from None
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(values, dict):
        raise ContractError(f"{name}: a contract is a mapping with source, kind, reader, columns …")
    try:
        return Contract.model_validate(values)
    except ValidationError as error:
        told = [*_meant(error.errors(), values), *_later_faults(error, values)]
        items = [item | {"msg": text} for item in told for text in str(item["msg"]).splitlines()]
        faults = [_Fault.of(item, node) for item in items]
        raise ContractError("\n".join(f"{name}, line {fault.line}: {fault.text}" for fault in faults)) from None


def _later_faults(error: ValidationError, values: dict[str, Any]) -> list[Any]:
    """The faults of `columns` that are not looked for while another key is faulty: all are told at once."""
    columns, kind = values.get("columns"), values.get("kind", "orders")
    if kind not in KIND_COLUMNS or not isinstance(columns, dict) or any(item["loc"] == () for item in error.errors()):
        return []
    named = {name: values[name] for name in ("mandatory", "tolerate", "checks") if isinstance(values.get(name), list | dict)}
    draft = Contract.model_construct(kind=kind, columns={name: str(text) for name, text in columns.items()}, **named)
    return [{"msg": fault, "loc": (), "type": "value_error"} for fault in _column_faults(draft)]


def _meant(items: Iterable[Any], values: dict[str, Any]) -> list[Any]:
    """The faults without those of the alternative that was not meant: `cadence` is a mapping or the word once."""
    unmeant = "literal" if isinstance(values.get("cadence"), dict) else "Cadence"
    return [item for item in items if not (item["loc"][:1] == ("cadence",) and any(unmeant in str(part) for part in item["loc"]))]


@dataclass(frozen=True)
class _Fault:
    line: int
    text: str

    @classmethod
    def of(cls, item: Mapping[str, Any], node: yaml.Node | None) -> _Fault:
        message = str(item["msg"]).removeprefix("Value error, ")
        path = [str(part) for part in item["loc"] if "[" not in str(part) and part != "Cadence"]
        if item["type"] == "extra_forbidden":
            message = f"unknown key {path[-1]!r}{did_you_mean(path[-1], _keys_at(path[:-1]))}"
        elif item["type"] == "literal_error" and path:
            known = re.findall(r"'([^']+)'", str(item["ctx"]["expected"]))
            message = f"{'.'.join(path)}: {message}{_near(str(item['input']), known)}"
        elif item["type"] == "missing":
            message = f"{'.'.join(path)!r} is missing: add it"
        elif path:
            message = f"{'.'.join(path)}: {message}"
        else:
            path = [name for name in re.findall(r"^[a-z_]+", message) if name in Contract.model_fields]
        words = re.findall(r"'([^']+)'", message)
        return cls(_line_of(node, path, words), message)


def _keys_at(path: list[str]) -> list[str]:
    """The keys known below `path`; names that the user chose (a column, a file) are passed over."""
    model: Any = Contract
    for part in path:
        if field := model.model_fields.get(part):
            below = (field.annotation, *get_args(field.annotation))
            model = next((inner for inner in below if hasattr(inner, "model_fields")), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _line_of(node: yaml.Node | None, path: list[str], words: list[str]) -> int:
    """The line of the deepest key along `path`, then of the first key or value among the quoted words below it."""
    line, current = 1, node
    for part in path:
        pair = next((p for p in current.value if p[0].value == part), None) if isinstance(current, yaml.MappingNode) else None
        if pair is None:
            break
        line, current = pair[0].start_mark.line + 1, pair[1]
    for word in words:
        if current is not None and (found := _find_scalar(current, word)):
            return found
    return line


def line_of(path: Path, key: str) -> int:
    """The line of a contract's key, such as `columns.amount`, in its file; of the nearest key above it where that is not there."""
    return _line_of(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), key.split("."), [])


def _find_scalar(node: yaml.Node, word: str) -> int | None:
    if isinstance(node, yaml.ScalarNode):
        return node.start_mark.line + 1 if node.value == word else None
    children = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    return next((line for child in children if (line := _find_scalar(child, word))), None)


def load_contracts(folder: Path, pattern: str = "*.yaml") -> dict[str, Contract]:
    """Every contract of a folder (files matching `pattern`) by source name. Raises ContractError when one is invalid or a source stands twice."""
    contracts: dict[str, Contract] = {}
    for path in sorted(folder.glob(pattern)):
        contract = read_contract(path)
        if contract.source in contracts:
            raise ContractError(f"{path}: source {contract.source!r} has another contract in {folder}: rename one")
        contracts[contract.source] = contract
    return contracts
