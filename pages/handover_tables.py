"""The tables of the handover sheet."""

from __future__ import annotations

from datetime import datetime

from access.handover import Handover
from access.view import View
from access.work_item import Change
from access.worklist import WorkRow
from components.format import count, when
from components.handover import SheetTable
from components.worklist import Job
from i18n import translate
from pages.worklist_job import Names, read_job


def read_tables(view: View, found: Handover) -> tuple[SheetTable, ...]:
    """What comes due, what is being worked on, what nobody has taken, what was done, noted, and left by itself; by whom."""
    names = Names(view)
    return (
        _of_jobs(view, "due", found.due, names),
        _of_jobs(view, "working", found.working, names),
        _of_jobs(view, "untouched", found.untouched, names),
        _of_changes(view, "done", found.done, names),
        _of_changes(view, "notes", found.notes, names),
        _of_jobs(view, "left", found.left, names),
        _table(
            view,
            "people",
            tuple(
                (names.of(person.name), count(view.language, person.done_count), count(view.language, person.change_count))
                for person in found.people
            ),
        ),
    )


def _of_jobs(view: View, name: str, rows: tuple[WorkRow, ...], names: Names) -> SheetTable:
    jobs = [read_job(view, row, names) for row in rows]
    return _table(view, name, tuple(_job_cells(job) for job in jobs))


def _job_cells(job: Job) -> tuple[str, ...]:
    waits = " ".join(part for part in (job.stage, job.waited) if part)
    notes = [f"{note.who} {note.when}: {note.text}" for note in job.notes]
    return (
        f"{job.order_id}\n{job.title}",
        _lines(job.place, job.origin),
        _lines(job.lateness, waits),
        _lines(job.assignee_name, job.state_name),
        job.follow_up,
        _lines(job.remark, *notes),
    )


def _of_changes(view: View, name: str, pairs: tuple[tuple[WorkRow, Change], ...], names: Names) -> SheetTable:
    rows = []
    for row, change in sorted(pairs, key=lambda pair: (pair[1].at, pair[1].id)):
        job = read_job(view, row, names)
        texts = [note.text for note in job.notes] if name == "done" else [change.note]
        rows.append((f"{job.order_id}\n{job.title}", job.place, names.of(change.actor), _at(view, change.at), _lines(*texts)))
    return _table(view, name, tuple(rows))


def _table(view: View, name: str, rows: tuple[tuple[str, ...], ...]) -> SheetTable:
    kinds = {"done": "change", "notes": "change", "people": "people"}
    columns = {
        "job": ("order", "place", "lateness", "assignee", "follow_up", "notes"),
        "change": ("order", "place", "who", "when", "notes"),
        "people": ("who", "done", "changes"),
    }[kinds.get(name, "job")]
    return SheetTable(
        title=translate(view.language, f"handover.table.{name}"),
        columns=tuple(translate(view.language, f"handover.column.{column}") for column in columns),
        rows=rows,
        empty=translate(view.language, f"handover.empty.{name}"),
    )


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _at(view: View, at: datetime) -> str:
    return when(view.language, at, view.now, view.zone)
