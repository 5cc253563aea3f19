"""Provenance: what happened to sampled FlowFiles, kept for a while beside the flow (E27)."""

from flowengine.provenance.recorder import Recorder, recording
from flowengine.provenance.store import Event, ProvenanceStore, Query

__all__ = ["Event", "ProvenanceStore", "Query", "Recorder", "recording"]
