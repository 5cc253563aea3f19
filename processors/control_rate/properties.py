"""What a user sets of ControlRate, and what is wrong with it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from flowengine.processor import ProcessorProperties, When
from flowengine.units import DataSize, Duration, Rate, RateValue, parse_duration


class Criteria(StrEnum):
    """What is limited."""

    DATA = "data rate"
    COUNT = "flowfile count"
    ATTRIBUTE = "attribute value"
    BOTH = "data rate or flowfile count"


class Exceeded(StrEnum):
    """What happens to a FlowFile that may not pass yet."""

    HOLD = "hold"
    ROUTE = "route to 'rate exceeded'"


_ONE_RATE = When(criteria=("data rate", "flowfile count", "attribute value"))
_BOTH_RATES = When(criteria="data rate or flowfile count")


class RateProperties(ProcessorProperties):
    """Properties of ControlRate. What the chosen criteria do not use is ignored."""

    criteria: Criteria = Field(Criteria.DATA, description="What is limited.")
    maximum_rate: Annotated[Rate | None, _ONE_RATE] = Field(
        None,
        description="Most that may pass in `time_duration`: a data size such as `1 MB` for "
        "'data rate', a whole number for 'flowfile count' and 'attribute value'. May be "
        "changed while running; what has passed still counts.",
    )
    maximum_data_rate: Annotated[DataSize | None, _BOTH_RATES] = Field(
        None, description="Most data, for 'data rate or flowfile count'."
    )
    maximum_flowfile_rate: Annotated[int | None, _BOTH_RATES] = Field(
        None, ge=1, description="Most FlowFiles, for 'data rate or flowfile count'."
    )
    time_duration: Duration = Field(
        parse_duration("1 min"), description="The period that the maximum is for."
    )
    rate_controlled_attribute: Annotated[str, When(criteria="attribute value")] = Field(
        "", description="Attribute with a whole number, for 'attribute value'."
    )
    grouping_attribute: str = Field(
        "",
        description="Limit FlowFiles with the same value of this attribute together, each "
        "value for itself; those without it are one more group. Empty: limit all together.",
    )
    rate_exceeded_strategy: Exceeded = Field(
        Exceeded.HOLD, description="Whether what exceeds the rate waits or goes another way."
    )

    @field_validator("maximum_rate")
    @classmethod
    def _fits(cls, rate: RateValue | None, info: ValidationInfo) -> RateValue | None:
        criteria = info.data.get("criteria", Criteria.BOTH)
        if criteria is Criteria.BOTH:
            return rate
        is_data = criteria is Criteria.DATA
        if rate is None or rate.is_data is not is_data:
            kind = "a data size such as '1 MB'" if is_data else "a whole number"
            _refuse(f"must be {kind} with criteria '{criteria}'", rate)
        return rate

    @field_validator("maximum_data_rate", "maximum_flowfile_rate")
    @classmethod
    def _is_given(cls, maximum: int | None, info: ValidationInfo) -> int | None:
        if info.data.get("criteria") is Criteria.BOTH and not maximum:
            _refuse(f"must be at least 1 with criteria '{Criteria.BOTH}'", maximum)
        return maximum

    @field_validator("time_duration")
    @classmethod
    def _is_a_period(cls, duration: int) -> int:
        if duration < 1000:
            _refuse("must be at least 1 ms", f"{duration} us")
        return duration

    @field_validator("rate_controlled_attribute")
    @classmethod
    def _is_named(cls, name: str, info: ValidationInfo) -> str:
        if info.data.get("criteria") is Criteria.ATTRIBUTE and not name:
            _refuse(f"must name an attribute with criteria '{Criteria.ATTRIBUTE}'", None)
        return name

    @property
    def maxima(self) -> dict[str, int]:
        """Limit → what may pass in one period."""
        if self.criteria is Criteria.BOTH:
            return {
                "data": self.maximum_data_rate or 0,
                "count": self.maximum_flowfile_rate or 0,
            }
        name = {Criteria.DATA: "data", Criteria.COUNT: "count"}.get(self.criteria, "value")
        return {name: self.maximum_rate.amount if self.maximum_rate else 0}

    @property
    def configuration(self) -> str:
        """Everything whose change makes what has passed so far meaningless."""
        attribute = self.rate_controlled_attribute if "value" in self.maxima else ""
        parts = (self.criteria, attribute, self.grouping_attribute, self.time_duration)
        return "|".join(map(str, parts))


def _refuse(rule: str, value: object) -> None:
    message = f"{rule}; got {'none' if value is None else value}"
    raise PydanticCustomError("rate", "{message}", {"message": message})
