"""Routes for provenance: what happened to FlowFiles, their lineage, and replay."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
