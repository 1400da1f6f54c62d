"""Figures of a running back end for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.store.sqlite_journal import SqliteJournal


class Metrics(Collector):
    """Read when they are asked for, so that counting costs the messages next to nothing."""

    def __init__(
        self, backend: Backend, journal: SqliteJournal, alarms: Callable[[], list[str]]
    ) -> None:
        self._backend = backend
        self._journal = journal
        self._alarms = alarms
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """All figures; Prometheus' own name for it."""
        counts = self._backend.counts
        yield GaugeMetricFamily(
            "parkwatt_chargers_known", "Chargers ever heard of", len(self._backend.charger_ids)
        )
        yield GaugeMetricFamily(
            "parkwatt_chargers_connected", "Chargers with a link", self._backend.connected_count
        )
        for name, text, value in (
            ("parkwatt_ocpp_frames_received", "OCPP messages received", counts.frames_in),
            ("parkwatt_ocpp_frames_sent", "OCPP messages sent", counts.frames_out),
            ("parkwatt_journal_entries", "Events that became durable", counts.entries),
            (
                "parkwatt_links_closed_for_alarm",
                "Links closed because the journal could not be written",
                counts.links_closed_for_alarm,
            ),
        ):
            yield CounterMetricFamily(name, text, value)
        yield GaugeMetricFamily(
            "parkwatt_journal_backlog", "Events that wait for the disk", self._journal.backlog
        )
        yield GaugeMetricFamily("parkwatt_journal_seq", "The newest entry", self._journal.last_seq)
        yield GaugeMetricFamily("parkwatt_alarms", "Alarms that are on", len(self._alarms()))
        yield self._rungs()

    def _rungs(self) -> Metric:
        by_rung = [0] * 5
        for charger_id in self._backend.charger_ids:
            station = self._backend.station(charger_id)
            if station is not None:
                for evse_id, evse in station.state.evses.items():
                    by_rung[evse.rung] += evse_id > 0
        family = GaugeMetricFamily(
            "parkwatt_evses_by_rung", "Connection points by rung of the ladder", labels=["rung"]
        )
        for rung, count in enumerate(by_rung):
            family.add_metric([str(rung)], count)
        return family
