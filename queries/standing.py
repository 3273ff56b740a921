"""Where a question of its own kind stands: its setting and parameters, and whether memory may answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from data.recent import Horizon
from data.targets import Edition
from queries.base import Setting
from queries.build import Statement, has_normals
from queries.check import check
from queries.compose import Composed
from queries.flow_cells import held_flow_cells
from queries.horizon import is_kept
from queries.listing import Moment
from queries.query import Query, Window
from queries.setting import Span, setting_of, setting_values, span_values, where_values


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What decides the statement beside the kind of the question; `statement` joins it to the text."""

    setting: Setting
    edition: Edition
    is_settled: bool
    values: Mapping[str, object]
    kept_version: int | None

    def statement(self, composed: Composed, further: Mapping[str, object] | None = None) -> Statement:
        """The statement with the parameters that its text names, from here and from `further`."""
        values = dict(self.values) | dict(further or {})
        return Statement(
            sql=composed.sql,
            parameters={name: values[name] for name in sorted(composed.parameters)},
            columns=composed.columns,
            kept_version=self.kept_version,
        )


def stand(
    asked: Query,
    moment: Moment,
    horizon: Horizon | None,
    *,
    further: Mapping[str, object] | None = None,
    needs_normals: bool = False,
) -> Standing:
    """Where a question stands that looks at what `asked`, a query without a grain, would look at.

    `further` are parameters that take the place of its own. Raises QueryError for what cannot be asked.
    """
    check(asked)
    span = Span(window=asked.window or Window.all_until(moment.as_of), as_of=moment.as_of, newest=moment.newest)
    edition = moment.targets.at(moment.as_of, moment.zone)
    values = span_values(span, None, moment.zone, edition) | dict(further or {})
    held = horizon if horizon and horizon.version == moment.version and is_kept(asked, [values], horizon.since) else None
    if held and needs_normals and not has_normals(held, values):
        held = None
    setting = setting_of(moment.scope, span, edition, grain=None, zone=moment.zone)
    if held:
        has_visits = is_kept(asked, [values], held.visits_since)
        flows = held_flow_cells(held, values, setting.offsets) if has_visits and span.is_settled else ()
        setting = replace(setting, is_recent=True, has_visits=has_visits, has_normals=needs_normals, flow_cells=flows)
    return Standing(
        setting=setting,
        edition=edition,
        is_settled=span.is_settled,
        values=values | setting_values(moment.scope, moment.version, edition) | where_values(asked.where),
        kept_version=held.version if held else None,
    )
