"""Which controller services a processor's properties name."""

from __future__ import annotations

from flowengine.processor import ProcessorProperties, Service


def service_names(properties: ProcessorProperties) -> list[str]:
    """Values of all properties that are marked with :class:`flowengine.processor.Service`."""
    names = []
    for key, field in type(properties).model_fields.items():
        if any(isinstance(mark, Service) for mark in field.metadata):
            value = getattr(properties, key)
            if value is not None:
                names.append(str(value))
    return names
