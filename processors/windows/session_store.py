"""SessionWindows: panes per key that grow and merge."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from processors.windows.assign import Span
from processors.windows.indexed import IndexedStore
from processors.windows.output import Emitter
from processors.windows.panes import Pane
from processors.windows.records import Batch
from processors.windows.sessions import Activity
from processors.windows.state import Saved
from processors.windows.store import OUTPUTS, Late, Rejected
from processors.windows.trigger import Reason, Timing, Trigger


class SessionRules(NamedTuple):
    """How sessions of one processor are bounded.

    gap:     µs of silence that a session outlives
    strict:  a record at exactly the gap begins another one
    longest: µs from its first record to its last, or None
    ordered: records begin or end sessions, so they are taken in the order of arrival
    """

    gap: int
    strict: bool = False
    longest: int | None = None
    ordered: bool = False


class Marks:
    """What single records of the current batch say: their own gap, that they begin or end."""

    def __init__(self) -> None:
        self.gaps: list[int] | None = None
        self.begins: list[bool] | None = None
        self.ends: list[bool] | None = None


class SessionWindows(IndexedStore):
    """Sessions by key. It closes once the watermark reaches last + gap: nothing can join then.

    ``~k<key>`` in the state has the numbers of the open sessions of a key. A session that grew is
    looked at when it would have closed before, and listed anew.
    """

    def __init__(self, rules: SessionRules, trigger: Trigger, emitter: Emitter, saved: Saved):
        super().__init__(trigger, emitter, saved)
        self.rules = rules
        self.marks = Marks()

    def _due(self, pane: Pane) -> int:
        return pane.end - 1 if self.rules.strict else pane.end

    def _look_at(self, pane: Pane) -> int:
        """When there is something to do with it: to close, then to forget."""
        return self._due(pane) + (self.trigger.lateness if pane.fired else 0)

    # -- sessions of a key ---------------------------------------------------------------------

    def _of(self, key: str) -> list[Pane]:
        numbers = self.saved.state.get(f"~k{key}", ())
        return [self.saved.there(f"~p{number}") for number in numbers]

    def _note(self, key: str, sessions: list[Pane]) -> None:
        if sessions:
            self.saved.put(f"~k{key}", tuple(int(pane.ident[2:]) for pane in sessions))
        else:
            self.saved.remove(f"~k{key}")

    def forget(self, pane: Pane) -> None:
        self._note(pane.key, [one for one in self._of(pane.key) if one is not pane])
        super().forget(pane)

    # -- adding --------------------------------------------------------------------------------

    def add(self, batch: Batch, rows: list[int], watermark: float) -> Rejected:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        keys = batch.keys
        for row in rows:
            groups[keys[row]].append(row)
        rejected = Rejected([], [])
        for key, members in groups.items():
            if self._one_by_one:
                for row in members:
                    self._add_one(key, batch, row, watermark, rejected)
            else:
                for activity, run in self._runs(batch, members):
                    self._add_run(key, batch, activity, run, watermark, rejected)
        return rejected

    @property
    def _one_by_one(self) -> bool:
        trigger = self.trigger
        early = trigger.early is not None or trigger.when is not None or trigger.lateness
        return bool(self.rules.ordered or early or self.rules.longest is not None)

    def _activity(self, row: int, time: int) -> Activity:
        gap = self.rules.gap if self.marks.gaps is None else self.marks.gaps[row]
        return Activity(time, time, time + gap)

    def _runs(self, batch: Batch, rows: list[int]) -> list[tuple[Activity, list[int]]]:
        """Rows of one key in runs that are one session already among themselves."""
        runs: list[tuple[Activity, list[int]]] = []
        times, gap, gaps, strict = batch.times, self.rules.gap, self.marks.gaps, self.rules.strict
        members: list[int] = []
        first = last = end = (
            0  # of an Activity per run, not one per record: that is most of the work
        )
        for row in sorted(rows, key=times.__getitem__):
            time = times[row]
            until = time + (gap if gaps is None else gaps[row])
            if members and ((time < end and first < until) if strict else time <= end):
                members.append(row)
                last, end = time, max(end, until)
                continue
            if members:
                runs.append((Activity(first, last, end), members))
            first, last, end, members = time, time, until, [row]
        if members:
            runs.append((Activity(first, last, end), members))
        return runs

    def _add_one(
        self, key: str, batch: Batch, row: int, watermark: float, rejected: Rejected
    ) -> None:
        marks, time = self.marks, batch.times[row]
        if marks.begins is not None and marks.begins[row]:
            for pane in self._meeting(key, self._activity(row, time)):
                self._end(pane)
        joined = self._add_run(key, batch, self._activity(row, time), [row], watermark, rejected)
        if joined is not None and marks.ends is not None and marks.ends[row]:
            self._end(joined)

    def _add_run(
        self,
        key: str,
        batch: Batch,
        activity: Activity,
        rows: list[int],
        watermark: float,
        rejected: Rejected,
    ) -> Pane | None:
        met = self._meeting(key, activity)
        if not met and activity.end - self.rules.strict + self.trigger.lateness <= watermark:
            span = Span(activity.first, activity.end)
            rejected.late.extend(Late(row, span) for row in rows)
            return None
        pane = self._merged(key, met, activity)
        pane.fired = self._due(pane) <= watermark
        if self._look_at(pane) < pane.at:
            self.relist(pane, self._look_at(pane))
        self.feed(pane, batch, rows)
        return pane

    def _meeting(self, key: str, activity: Activity) -> list[Pane]:
        """Sessions that the activity joins, as far as none grows beyond the longest."""
        found: list[Pane] = []
        for pane in sorted(self._of(key), key=lambda one: one.start):
            there = Activity(pane.start, self._last(pane), pane.end)
            if not activity.meets(there, strict=self.rules.strict):
                continue
            whole = activity.joined(there)
            longest = self.rules.longest
            if longest is None or whole.last - whole.first <= longest:
                found.append(pane)
                activity = whole
        return found

    def _last(self, pane: Pane) -> int:
        """Time of the last record, also after a pane that discarded it."""
        return pane.start if pane.last is None else max(pane.last, pane.start)

    def _merged(self, key: str, met: list[Pane], activity: Activity) -> Pane:
        """One session of all that meet, with the bounds of the activity included."""
        pane = met[0] if met else self._begin(key, activity)
        for other in met[1:]:
            pane.absorb(other, self.plan)
            pane.end = max(pane.end, other.end)
            self._absorbed(other)
        pane.start = min(pane.start, activity.first)
        pane.end = max(pane.end, activity.end)
        if self.rules.longest is not None:
            pane.end = min(pane.end, pane.start + self.rules.longest)
        self.saved.touch(pane)
        return pane

    def _begin(self, key: str, activity: Activity) -> Pane:
        sessions = self._of(key)
        pane = self.saved.add(f"~p{self.saved.number()}", key, activity.first, activity.end)
        self._note(key, [*sessions, pane])
        self.enlist(pane, self._due(pane))
        return pane

    def _absorbed(self, pane: Pane) -> None:
        """Forget a session whose kept records another one took over."""
        self._note(pane.key, [one for one in self._of(pane.key) if one is not pane])
        self.index.remove(pane.at, pane.ident)
        self.saved.drop(pane, chunks=False)

    # -- closing -------------------------------------------------------------------------------

    def _end(self, pane: Pane) -> None:
        """A record said that this session is over."""
        if not pane.fired or pane.pending:
            timing = Timing.LATE if pane.fired else Timing.ON_TIME
            self.emit(pane, timing, Reason.END, final=True)
        self.forget(pane)

    def advance(self, watermark: float, reason: Reason) -> bool:
        while (top := self.index.top()) is not None and top[0] <= watermark:
            if self.emitter.made >= OUTPUTS:
                return False
            pane = self.saved.there(top[1])
            due = self._look_at(pane) <= watermark
            if not due or not self.settle(pane, self._due(pane), watermark, reason):
                self.relist(pane, self._look_at(pane))  # it grew, or takes late records
        return True

    def next_due(self) -> int | None:
        top = self.index.top()
        return None if top is None else top[0]

    def hold(self) -> int | None:
        top = self.index.top()
        return None if top is None else top[0] - (0 if self.rules.strict else 1)
