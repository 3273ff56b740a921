"""A first contract for a file nobody has described yet: columns by their names, instants by their form, statuses by their words.

What cannot be known is left to the user, and says so: a status word without a meaning is drafted as `FILL_IN`, which a
contract refuses with its line; everything else is a guess with a comment beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Final

from data.contract import KIND_COLUMNS, KIND_KEY, ContractError, expression_columns
from data.draft_lines import LINES, collapsed
from data.draft_words import PERSONAL_WORDS, match_columns, milestone_of, plain_word
from data.instant import NOTHING_YET
from data.order import MILESTONES
from data.places import country_of_province, province_aliases
from data.sample import SAMPLE_ROWS, Sample, instant_format, read_sample
from data.sample_nested import unnested
from data.sql_text import identifier, literal

MAX_STATUS_WORDS: Final = 60
_COUNTRIES: Final = ("BR", "US", "CN")
_CENTS: Final = re.compile(r"(^| )(cents?|fen|centavos)$|分$")
_CLOCKED: Final = ("created_at", "occurred_at", "requested_at")
"""Where one clock time beside several dates belongs."""
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?")
_DAY_OR_CLOCK: Final = re.compile(r"\b(date|day|time|data|hora|dia)\b|(datum|uhrzeit|zeit)$|日期|时间|时刻|日$|\s")
_ADDED: Final = ("quantity", "delivered_quantity", "amount", "freight_cost")
"""What an order's lines may each have a part of."""
_ADDED_UP: Final = "Several lines per order: made one row each, what differs between the lines is added up"
_TAKEN_APART: Final = "Objects within a line are taken apart: order.id is order_id below"
_MONEY_SIGNS: Final = {"¥": "CNY", "￥": "CNY", "R$": "BRL", "€": "EUR", "£": "GBP", "$": "USD"}
_DATED_NAME: Final = (
    (r"(\d{8}T\d{6})", "%Y%m%dT%H%M%S"),
    (r"(\d{8}_\d{6})", "%Y%m%d_%H%M%S"),
    (r"(\d{8}_\d{4})(?!\d)", "%Y%m%d_%H%M"),
    (r"(\d{14})", "%Y%m%d%H%M%S"),
    (r"(\d{4}-\d{2}-\d{2})", "%Y-%m-%d"),
    (r"(?<!\d)(\d{8})(?!\d)", "%Y%m%d"),
)


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One line of the draft's `columns`: canonical name, expression and what to look at."""

    name: str
    expression: str
    remark: str = ""
    texts: tuple[str, ...] = ()


def draft_contract(path: Path) -> str:
    """A commented contract in YAML for the file. Raises SourceError when the file cannot be read."""
    sample = unnested(read_sample(path))
    kind = _kind(sample)
    types = {column.name: column.type for column in KIND_COLUMNS[kind]}
    clocks = [header for header in sample.columns if _all(sample.texts(header), _CLOCK.fullmatch)]
    wanted = [*types, *(("status",) if kind == "orders" else ())]
    status = _status_named_state(sample) if kind == "orders" else None
    matched = match_columns([header for header in sample.columns if header not in (*clocks, status)], wanted)
    status = matched.pop("status", status)
    matched = {name: header for name, header in matched.items() if _fits(types[name], sample.texts(header))}
    lines = [_line(sample, name, header, types[name], with_country="country_code" in matched) for name, header in matched.items()]
    lines = _split_instants(sample, lines, clocks)
    formats = _formats([line.texts for line in lines if types[line.name] == "instant"])
    personal = match_columns(_unused(sample, lines, status), PERSONAL_WORDS) if kind == "orders" else {}
    rows = sample.reshaped or _collapsed(sample, lines, matched, (*personal.values(), *([status] if status else [])))
    if rows and not sample.reshaped and "line_count" not in matched:
        lines = [*lines, _Line(name="line_count", expression=LINES)]
    lines = [*lines, *_constants(sample, path, matched, types)]
    parts = [
        _head(path, sample, kind),
        _as_of(path, has_instants=any(types[line.name] == "instant" for line in lines)),
        _rows(rows, _TAKEN_APART if sample.reshaped else _ADDED_UP),
        _columns(sample, kind, lines, status, formats),
        _status(sample, status) if status else "",
        _events(sample, matched) if kind == "events" else "",
        _tail(sample, kind, lines, "" if rows else matched.get("order_id", "")),
        _personal(personal),
    ]
    return "".join(parts)


def _kind(sample: Sample) -> str:
    found = match_columns(sample.columns, ["return_id", "complaint_id", "milestone", "occurred_at", "order_id"])
    if "return_id" in found:
        return "returns"
    if "complaint_id" in found:
        return "complaints"
    if {"milestone", "occurred_at", "order_id"} <= set(found) and _repeats(sample, found["order_id"]):
        return "events"
    return "orders"


def _repeats(sample: Sample, header: str) -> bool:
    texts = sample.texts(header)
    return len(set(texts)) < len(texts)


def _fits(type_: str, texts: Sequence[str]) -> bool:
    """Whether a column's texts are of the type at all; an empty column fits, a list or an object in JSON fits nothing."""
    if not texts:
        return True
    if 2 * sum(text[0] in "[{" and text[-1] in "]}" for text in texts) >= len(texts):
        return False
    if type_ == "text":
        return True
    if type_ == "instant":
        return instant_format(_dated(texts)) is not None
    return sum(bool(re.search(r"\d", text)) for text in texts) >= 0.9 * len(texts)


def _formats(columns: Iterable[Sequence[str]]) -> list[str]:
    """The `instant_formats` that read every instant column; empty when ISO 8601 does."""
    found = list(dict.fromkeys(form for texts in columns if (form := instant_format(texts)) is not None))
    if not any(found):
        return []
    return list(dict.fromkeys([*(form for form in found if form), *(("iso",) if "" in found else ())]))


def _line(sample: Sample, name: str, header: str, type_: str, *, with_country: bool) -> _Line:
    texts, reference = sample.texts(header), _reference(header)
    if name == "province_code":
        return _province(name, reference, texts, with_country=with_country)
    if type_ == "instant":
        return _instant(name, reference, texts)
    if type_ in ("money", "number", "integer"):
        return _number(name, header, reference, texts)
    if 2 * sum(text.startswith('="') for text in texts) > len(texts):
        return _Line(name=name, expression=f"trim({reference}, '=\"')", remark='without the ="…" around it')
    if 2 * sum(text.startswith("'") for text in texts) > len(texts):
        return _Line(name=name, expression=f"ltrim({reference}, '''')", remark="without the ' before it")
    return _Line(name=name, expression=reference)


def _instant(name: str, reference: str, texts: Sequence[str]) -> _Line:
    known = _dated(texts)
    form = instant_format(known)
    day_or_month = form is not None and form[:8] in ("%d/%m/%Y", "%m/%d/%Y") and _is_ambiguous(known)
    remark = "day or month first? see instant_formats" if day_or_month else ""
    for nothing in sorted(set(texts) - set(known)):
        reference, remark = f"nullif({reference}, {literal(nothing)})", f"{nothing} means: nothing yet"
    return _Line(name=name, expression=reference, remark=remark, texts=tuple(known))


def _dated(texts: Sequence[str]) -> list[str]:
    """The texts without zeros and dates long before any order, by which systems mean «nothing yet»."""
    return [text for text in texts if not re.fullmatch(NOTHING_YET, text)]


def _is_ambiguous(texts: Sequence[str]) -> bool:
    return all(int(part) <= 12 for text in texts for part in re.findall(r"\d+", text)[:2])


def _number(name: str, header: str, reference: str, texts: Sequence[str]) -> _Line:
    signs = _usual_signs(texts)
    bare = f"regexp_replace({reference}, {literal(f'[{re.escape(signs)}]')}, '', 'g')" if signs else reference
    commas, points = (sum(bool(re.search(rf"{sign}\d{{1,2}}\D*$", text)) for text in texts) for sign in (",", r"\."))
    if commas > points:
        return _Line(name=name, expression=f"replace(replace({bare}, '.', ''), ',', '.')", remark="decimal comma")
    if any(re.search(r",\d{3}(\D|$)", text) for text in texts):
        return _Line(name=name, expression=f"replace({bare}, ',', '')", remark="thousands separators")
    if name in ("amount", "freight_cost") and _CENTS.search(plain_word(header)):
        return _Line(name=name, expression=f"{bare}::DECIMAL(18,4) / 100", remark="cents to units")
    is_whole = (
        name in ("amount", "freight_cost") and len(texts) > 1 and all(re.fullmatch(r"[-+]?\d{3,}|0+", text) for text in texts)
    )
    remark = f"without {signs}" if signs else "whole numbers: if they are cents, …::DECIMAL(18,4) / 100" if is_whole else ""
    return _Line(name=name, expression=bare, remark=remark)


def _usual_signs(texts: Sequence[str]) -> str:
    """What many amounts carry beside their figures, such as a currency's sign; a word in a single cell is that cell's own fault."""
    found = Counter(sign for text in texts for sign in set(re.findall(r"[^\d.,+\-\s]", text)))
    return "".join(sorted(sign for sign, count in found.items() if count >= 0.05 * len(texts)))


def _province(name: str, reference: str, texts: Sequence[str], *, with_country: bool) -> _Line:
    words = {text.casefold() for text in texts}
    bare = {
        word for word in words for country in _COUNTRIES if with_country and f"{country}-{word.upper()}" in country_of_province()
    }
    if not words or sum(word in province_aliases() or word in bare for word in words) >= 0.5 * len(words):
        return _Line(name=name, expression=reference)
    for country in _COUNTRIES:
        if sum(f"{country}-{word.upper()}" in country_of_province() for word in words) >= 0.9 * len(words):
            return _Line(name=name, expression=f"'{country}-' || {reference}", remark="bare code: the country is a guess")
    return _Line(name=name, expression=reference, remark="not recognised: kept without a region unless you give ISO 3166-2 codes")


def _status_named_state(sample: Sample) -> str | None:
    """A column named as a province is («State») whose values are words of statuses, or single figures that stand for them."""
    for header in match_columns(sample.columns, ["province_code"]).values():
        texts = sample.texts(header)
        if texts and 2 * sum(milestone_of(text) is not None or (len(text) == 1 and text.isdigit()) for text in texts) > len(
            texts
        ):
            return header
    return None


def _split_instants(sample: Sample, lines: Sequence[_Line], clocks: Sequence[str]) -> list[_Line]:
    """Join a column of dates with its column of clock times: that of the same name, or where there is just one of each."""
    dates = [line for line in lines if line.texts and _is_dates(line)]
    pairs = {line.name: clock for line in dates if (clock := _clock_of(expression_columns(line.expression)[0], clocks))}
    placed = [line for line in dates if line.name in _CLOCKED]
    if not pairs and len(clocks) == len(placed) == 1:
        pairs = {placed[0].name: clocks[0]}
    return [_joined(sample, line, pairs[line.name]) if line.name in pairs else line for line in lines]


def _clock_of(day: str, clocks: Sequence[str]) -> str | None:
    """The column of clock times that is named as the column of dates is, but for the word for date or time."""
    named = [clock for clock in clocks if _DAY_OR_CLOCK.sub("", plain_word(clock)) == _DAY_OR_CLOCK.sub("", plain_word(day))]
    return named[0] if len(named) == 1 else None


def _joined(sample: Sample, line: _Line, clock: str) -> _Line:
    day = expression_columns(line.expression)[0]
    positions = sample.columns.index(day), sample.columns.index(clock)
    pairs = [(row[positions[0]], row[positions[1]]) for row in sample.rows]
    return _Line(
        name=line.name,
        expression=f"{_reference(day)} || ' ' || {_reference(clock)}",
        remark="date and time joined",
        texts=tuple(f"{first.strip()} {second.strip()}" for first, second in pairs if first and second),
    )


def _is_dates(line: _Line) -> bool:
    return _all(line.texts, lambda text: ":" not in text and len(text) <= 11)


def _all(texts: Sequence[str], test: Callable[[str], object]) -> bool:
    return bool(texts) and all(test(text) for text in texts)


def _constants(sample: Sample, path: Path, matched: dict[str, str], types: Iterable[str]) -> list[_Line]:
    lines = []
    if "channel" not in matched:
        name = re.sub(r"[\W\d_]+", "_", path.name.split(".")[0]).strip("_").lower() or "main"
        lines.append(
            _Line(name="channel", expression=f"'{name}'", remark="no column names the channel: one name for all, change it")
        )
    if "currency" in types and "currency" not in matched and (currency := _currency(sample, matched)):
        lines.append(_Line(name="currency", expression=f"'{currency}'", remark="a guess"))
    return lines


def _currency(sample: Sample, matched: dict[str, str]) -> str | None:
    header = matched.get("amount")
    if header is None:
        return None
    for code in ("CNY", "BRL", "USD", "EUR"):
        if code.lower() in plain_word(header).split():
            return code
    if re.search(r"[元分]", header):
        return "CNY"
    texts = sample.texts(header)
    return next((code for sign, code in _MONEY_SIGNS.items() if any(sign in text for text in texts)), None)


def _zone(sample: Sample) -> tuple[str, str]:
    text = " ".join(sample.columns)
    if re.search(r"[\u4e00-\u9fff]", text):
        return "Asia/Shanghai", "guessed from the Chinese header"
    if re.search(r"\b(pedido|entrega|frete|loja|estado|valor)\b", text.casefold()):
        return "America/Sao_Paulo", "guessed from the Portuguese header"
    if re.search(r"(bestell|auftrags)(nummer|datum)", text.casefold()):
        return "Europe/Berlin", "guessed from the German header"
    return "UTC", "a guess: the zone of instants that carry no offset, such as Asia/Shanghai"


def _head(path: Path, sample: Sample, kind: str) -> str:
    reader, (zone, why) = sample.reader, _zone(sample)
    stem = re.sub(r"(?<!\d)\d{6}[\dT_-]*|(?<![a-zA-Z\d])\d[\dT_-]*", "*", path.name)
    pattern = stem if "*" in stem else path.name
    letters = unicodedata.normalize("NFD", re.sub(r"[\d_*-]+$", "", path.name.split(".")[0]).lower())
    plain = "".join(sign for sign in letters if not unicodedata.combining(sign))
    source = re.sub(r"\W+", "_", plain, flags=re.ASCII).strip("_")
    source = source if re.fullmatch(r"[a-z][a-z0-9_]*", source) else "my_orders"
    keys = [f"format: {reader.format}", f"path: {_quoted(pattern)}"]
    if reader.sheet:
        keys.append(f"sheet: {_quoted(reader.sheet)}")
    if reader.skip_rows:
        keys.append(f"skip_rows: {reader.skip_rows}")
    if reader.format in ("csv", "jsonl"):
        keys.append(f"encoding: {reader.encoding}")
    if reader.format == "csv":
        keys.append('delimiter: "\\t"' if reader.delimiter == "\t" else f"delimiter: {_quoted(reader.delimiter)}")
    return (
        f"# Drafted from {path.name}: {len(sample.columns)} columns, {len(sample.rows)} rows looked at. Every line is a proposal:\n"
        "# read it, correct it, then `python cli.py ingest --contract THIS_FILE DATA`. All keys: docs/contracts.md\n"
        f"source: {_quoted(source)}\n"
        f"kind: {kind}\n"
        "owner: nobody@example.com           # whom to ask when the data is late: change it\n"
        f"reader: {{{', '.join(keys)}}}\n"
        f"time_zone: {zone}                   # {why}\n"
    )


def _as_of(path: Path, *, has_instants: bool) -> str:
    if has_instants:
        return "as_of: {from: newest}               # the file knows the world up to its newest instant\ncadence: once\n"
    for pattern, form in _DATED_NAME:
        if found := re.search(pattern, path.name):
            return (
                f"as_of: {{from: file_name, pattern: {_quoted(pattern)}, format: {_quoted(form)}}}   # {found[1]}\n"
                "cadence: once                       # or {warn_after: 1h, error_after: 4h}\n"
            )
    return "as_of: {from: file_time}            # no column is known as an instant, nor in the name: when the file was written\ncadence: once\n"


def _columns(sample: Sample, kind: str, lines: Sequence[_Line], status: str | None, formats: Sequence[str]) -> str:
    order = [column.name for column in KIND_COLUMNS[kind]]
    parts = ["columns:                            # our name: a column of the file, or an SQL expression over its columns\n"]
    if formats:
        parts.insert(0, f"instant_formats: [{', '.join(_quoted(form) for form in formats)}]\n")
    for line in sorted(lines, key=lambda line: order.index(line.name)):
        parts.append(f"  {line.name}: {_quoted(line.expression)}{f'      # {line.remark}' if line.remark else ''}\n")
    have = {line.name for line in lines}
    for name in KIND_KEY[kind]:
        if name not in have and name != "event_id":
            maybe = _distinct(sample, lines) if name == KIND_KEY[kind][-1] else ""
            parts.append(f"  # {name}: FILL IN the column that holds it; no column's name told{maybe}\n")
    if kind == "orders" and "created_at" not in have:
        parts.append(
            "  # created_at: FILL IN when the order was placed; without it an order counts only once another source tells\n"
        )
    if unused := _unused(sample, lines, status):
        parts.append(f"  # not used: {', '.join(unused)}\n")
    for header in unused:
        if _all(sample.texts(header), lambda text: text.startswith("[{")):
            parts.append(
                f"  # {header} holds lists: `rows` takes them apart with unnest, see «Nested JSON» in docs/contracts.md\n"
            )
    return "".join(parts)


def _distinct(sample: Sample, lines: Sequence[_Line]) -> str:
    """Columns whose every row is filled and different, as a key's are."""
    used = _unused(sample, lines, None)
    found = [header for header in used if len(sample.rows) > 1 and len(set(sample.texts(header))) == len(sample.rows)]
    return f". Different in every row: {', '.join(found[:4])}" if found else ""


def _status(sample: Sample, header: str) -> str:
    words = Counter(sample.texts(header)).most_common(MAX_STATUS_WORDS)
    lines = [
        "status:                             # what the source's words mean\n",
        f"  expression: {_quoted(_reference(header))}\n",
        "  completed: delivered              # what a finished order has reached: shipped or delivered\n",
        "  map:\n",
        '    "*":\n',
    ]
    for word, count in words:
        meaning = milestone_of(word)
        remark = "" if meaning else f"   # {count} rows: which of {', '.join(MILESTONES)}, completed?"
        lines.append(f"      {_quoted(word, always=True)}: {meaning or 'FILL_IN'}{remark}\n")
    if len(sample.rows) >= SAMPLE_ROWS:
        lines.append(
            f"      # words of the first {SAMPLE_ROWS:,} rows: one that comes later sets its row apart until it stands here\n"
        )
    return "".join(lines) if words else ""


def _events(sample: Sample, matched: dict[str, str]) -> str:
    words = Counter(sample.texts(matched["milestone"])).most_common(MAX_STATUS_WORDS)
    lines = ["milestones:                         # what the log's words mean\n"]
    for word, count in words:
        meaning = milestone_of(word)
        meaning = "delivered" if meaning == "completed" else meaning
        remark = "" if meaning else f"   # {count} rows: a milestone; or nullif(…) the word in columns.milestone"
        lines.append(f"  {_quoted(word, always=True)}: {meaning or 'FILL_IN'}{remark}\n")
    return "".join(lines)


def _unused(sample: Sample, lines: Sequence[_Line], status: str | None) -> list[str]:
    used = {header for line in lines for header in expression_columns(line.expression)} | {status}
    return [header for header in sample.columns if header not in used]


def _collapsed(sample: Sample, lines: Sequence[_Line], matched: dict[str, str], besides: Sequence[str]) -> str:
    """The `rows` of an export with several lines per order; empty where there is one line each."""
    if "order_id" not in matched:
        return ""
    key = [matched[name] for name in ("channel", "order_id") if name in matched]
    added = [header for name in _ADDED if (header := matched.get(name))]
    used = dict.fromkeys(header for line in lines for header in expression_columns(line.expression))
    own = [header for header in (*used, *besides) if header not in (*key, *added)]
    return collapsed(sample, key, own, added)


def _rows(rows: str, remark: str) -> str:
    if not rows:
        return ""
    return f"# {remark}.\nrows: |\n{indent(rows, '  ')}\n"


def _personal(personal: dict[str, str]) -> str:
    """A proposal to keep what is personal, masked and encrypted; as a remark, since without it nothing personal comes in."""
    if not personal:
        return ""
    named = ", ".join(f"{field}: {_quoted(header)}" for field, header in personal.items())
    return f"# personal: {{{named}}}      # to show them masked and keep the originals encrypted\n"


def _tail(sample: Sample, kind: str, lines: Sequence[_Line], repeated: str) -> str:
    """What else the contract says; `repeated` is the column of the order number where its lines are not collapsed."""
    parts = []
    promised = next((line.texts for line in lines if line.name == "promised_at"), ())
    if _all(promised, _is_day):
        parts.append("promise: day                        # promised dates: late only after the end of that day\n")
    have = {line.name for line in lines}
    if kind == "orders" and "created_at" in have:
        parts.append("mandatory: [created_at]             # a row without it is set apart with its reason\n")
    numbers = [text for line in lines if line.name == "order_id" for text in _bare_texts(sample, line)]
    if 2 * sum(bool(re.fullmatch(r"1[3-9]\d{9}", text)) for text in numbers) > len(numbers):
        parts.append("number_ids: true                    # the order numbers look like mobile numbers, and are none\n")
    words = _null_words(sample)
    if words:
        listed = ", ".join(_quoted(word, always=True) for word in ("", *words))
        parts.append(f"null_words: [{listed}]      # words that mean: nothing here\n")
    if kind == "orders" and repeated and _repeats(sample, repeated):
        parts.append(
            "# Order numbers repeat: the last filled value of each column wins. To add up lines, reshape the file (`file`) first:\n"
            f"# rows: SELECT {_reference(repeated)}, max(…) AS …, count(*) AS line_count FROM file GROUP BY 1\n"
        )
    return "".join(parts)


def _is_day(text: str) -> bool:
    """Whether an instant is but a date, or that date's midnight; the offset at its end is no clock time."""
    if re.fullmatch(r"\d{10,}(\.\d+)?", text):
        return False
    bare = re.sub(r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})$", "", text) if ":" in text else text
    return ":" not in bare or bool(re.search(r"[ T]00:00(:00(\.0+)?)?$", bare))


def _bare_texts(sample: Sample, line: _Line) -> list[str]:
    return [text.strip("='\"") for header in expression_columns(line.expression)[:1] for text in sample.texts(header)]


def _null_words(sample: Sample) -> list[str]:
    known = ("NULL", "null", "None", "N/A", "#N/A", "-", "--", "NaN", "nan", "\\N", "无")
    seen = {value for row in sample.rows for value in row if value in known}
    return [word for word in known if word in seen]


def _reference(header: str) -> str:
    """The header as an SQL expression, quoted where it is no plain name."""
    if re.fullmatch(r"[^\W\d]\w*", header):
        try:
            if expression_columns(header) == (header,):
                return header
        except ContractError:
            pass
    return identifier(header)


def _quoted(text: str, *, always: bool = False) -> str:
    """A YAML scalar: plain where that is safe, else in the quotes that need the least escaping."""
    if (
        not always
        and re.fullmatch(r"[^\W\d][\w.-]*", text)
        and text.lower() not in ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
    ):
        return text
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"
