"""Laws of the state machine, for any rule and any sequence of samples."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from alerts.conditions import Condition, Op, Threshold
from alerts.freeze import freeze, thaw
from alerts.rule import Datapoints, Rule
from alerts.state import Outcome, Reading, RuleState, Sample, close, step

START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
GROUPS = (("A",), ("B",), (None,))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    op: Op = draw(st.sampled_from([">", ">=", "<", "<="]))
    sign = 1 if op[0] == ">" else -1
    warning, critical = draw(st.sampled_from([(3, 5), (3, None), (None, 5)]))
    slack = draw(st.sampled_from([None, 2]))
    threshold = Threshold(
        warning=None if warning is None else sign * warning,
        critical=None if critical is None else sign * critical,
        warning_recover=None if warning is None or slack is None else sign * (warning - slack),
        critical_recover=None if critical is None or slack is None else sign * (critical - slack),
    )
    points = draw(st.sampled_from([None, Datapoints(m=2, n=3)]))
    return Rule(
        name="rule",
        conditions=(Condition(metric="value", op=op, threshold=threshold),),
        group_by=("region",),
        every=STEP,
        hold=timedelta() if points else STEP * draw(st.integers(0, 2)),
        datapoints=points,
        keep_firing=STEP * draw(st.integers(0, 2)),
        no_data=draw(st.sampled_from(["no_data", "ok", "keep", "alert"])),
        missing_evals=draw(st.integers(1, 3)),
        expected_groups=draw(st.sampled_from([(), ("A",)])),
        min_samples=draw(st.sampled_from([0, 5])),
        max_instances=draw(st.sampled_from([2, 500])),
    )


def _reading(value: float | None, n: int) -> tuple[Reading, ...]:
    return (Reading(value=value, score=value, n=n),)


samples = st.one_of(
    st.just(Sample(error="failed")),
    st.lists(
        st.tuples(
            st.sampled_from(GROUPS),
            st.builds(_reading, st.sampled_from([None, float("nan"), *range(-6, 7)]), st.integers(0, 9)),
        ),
        max_size=4,
    ).map(lambda groups: Sample(groups=groups)),
)
histories = st.lists(samples, max_size=30)


def _play(rule: Rule, history: list[Sample], state: RuleState | None = None, first: int = 0) -> list[Outcome]:
    outcomes = []
    state = state or RuleState()
    for index, sample in enumerate(history[first:], first):
        outcomes.append(step(rule, state, sample, START + index * STEP))
        state = outcomes[-1].state
    return outcomes


@given(rules(), histories)
def test_evaluating_an_instant_twice_is_evaluating_it_once(rule: Rule, history: list[Sample]) -> None:
    for index, outcome in enumerate(_play(rule, history)):
        again = step(rule, outcome.state, history[index], START + index * STEP)
        assert again == Outcome(state=outcome.state)


@given(
    rules(),
    st.lists(st.sampled_from([None, float("nan"), *range(-6, 7)]), min_size=4, max_size=12),
    st.sampled_from([1, 9]),
    st.sampled_from([0, 3, 6, -6]),
)
def test_what_goes_on_at_a_glance_is_what_the_long_way_finds_unchanged(
    rule: Rule, values: list[float | None], n: int, usual: int
) -> None:
    """Most instants are alike, calm or not, so that the others are met by an instance that rests or fires."""
    rest = Sample(groups=((("A",), _reading(usual, 9)),))
    history = [sample for value in values for sample in (*[rest] * 3, Sample(groups=((("A",), _reading(value, n)),)))]
    at_a_glance = _play(rule, history)
    with patch("alerts.state._goes_on", return_value=False):
        assert _play(rule, history) == at_a_glance


@given(rules(), histories)
def test_older_instant_is_refused_and_changes_nothing(rule: Rule, history: list[Sample]) -> None:
    for index, outcome in enumerate(_play(rule, history)):
        late = step(rule, outcome.state, history[index], START + index * STEP - timedelta(seconds=1))
        assert (late.state, late.transitions) == (outcome.state, ())
        assert "older" in late.refused


@given(rules(), histories)
def test_order_of_groups_does_not_matter(rule: Rule, history: list[Sample]) -> None:
    mirrored = [Sample(groups=tuple(reversed(sample.groups)), error=sample.error) for sample in history]
    assert [o.transitions for o in _play(rule, history)] == [o.transitions for o in _play(rule, mirrored)]


@given(rules(), histories, st.integers(0, 30))
def test_restart_anywhere_is_no_restart(rule: Rule, history: list[Sample], cut: int) -> None:
    whole = _play(rule, history)
    if cut == 0 or cut > len(whole):
        return
    kept = whole[cut - 1].state
    text = json.dumps([[group, freeze(instance)] for group, instance in kept.instances.items()], allow_nan=False)
    thawed = RuleState(
        at=kept.at,
        instances={tuple(group): thaw(frozen) for group, frozen in json.loads(text)},
        errors=kept.errors,
        error=kept.error,
    )
    assert _play(rule, history, thawed, cut) == whole[cut:]


@given(rules(), histories)
def test_no_sequence_leaves_the_state_machine(rule: Rule, history: list[Sample]) -> None:
    levels = {None, *rule.levels}
    for outcome in _play(rule, history):
        for instance in outcome.state.instances.values():
            assert instance.state in {"unknown", "inactive", "pending", "firing", "recovering", "no_data"}
            assert (instance.level is not None) == instance.is_active
            assert instance.level in levels
            assert (instance.keep_since is not None) == (instance.state == "recovering")
            assert (instance.episode_at is not None) == (instance.state not in ("unknown", "inactive"))
            assert len(instance.points) <= 3


@given(rules(), histories)
def test_transitions_join_end_to_end_and_messages_alternate(rule: Rule, history: list[Sample]) -> None:
    last: dict[object, object] = {}
    open_episodes: set[object] = set()
    for transition in (t for outcome in _play(rule, history) for t in outcome.transitions):
        before = (transition.before, transition.before_level)
        assert before == last.get(transition.group, before)
        assert before != (transition.after, transition.level)
        last[transition.group] = (transition.after, transition.level)
        if transition.after == "gone":
            del last[transition.group]
        if transition.message in ("firing", "no_data"):
            open_episodes.add(transition.group)
        elif transition.message == "resolved":
            assert transition.group in open_episodes
            open_episodes.discard(transition.group)


@given(rules(), histories)
def test_closing_ends_every_episode_and_forgets(rule: Rule, history: list[Sample]) -> None:
    outcomes = _play(rule, history)
    if not outcomes:
        return
    last = outcomes[-1].state
    closed = close(last, "rule_updated", START + len(history) * STEP)
    active = {group for group, instance in last.instances.items() if instance.state not in ("unknown", "inactive")}
    assert {transition.group for transition in closed.transitions} == active
    assert {transition.message for transition in closed.transitions} <= {None, "rule_changed"}
    assert closed.state == RuleState()
