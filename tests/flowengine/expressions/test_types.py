"""Expression and Predicate as values and as pydantic types."""

import copy
import pickle
import subprocess
import sys

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flowengine.expressions import Expression, Predicate


class Model(BaseModel):
    model_config = ConfigDict(validate_default=True, frozen=True)

    topic: Expression = Expression("users")
    key: Expression | None = Field("{{ name }}", validate_default=True)
    routes: dict[str, Predicate] = {}


def test_properties_are_expressions_and_their_dump_is_text():
    model = Model(topic="{{ a }}", routes={"NL": "country == 'NL'"})
    assert isinstance(model.topic, Expression)
    assert isinstance(model.routes["NL"], Predicate)
    dumped = {"topic": "{{ a }}", "key": "{{ name }}", "routes": {"NL": "country == 'NL'"}}
    assert model.model_dump() == dumped
    assert Model.model_validate_json(model.model_dump_json()) == model


def test_json_schema_has_formats_and_defaults():
    properties = Model.model_json_schema()["properties"]
    topic = {"default": "users", "format": "expression", "title": "Topic", "type": "string"}
    assert properties["topic"] == topic
    assert properties["routes"]["additionalProperties"] == {
        "type": "string",
        "format": "predicate",
    }


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("topic", 5, "must be text; got 5"),
        ("topic", "{{ a | x }}", "must name a known filter; got 'x' at column 8 of '{{ a | x }}'"),
        ("routes", {"r": "{{"}, "must be written without braces; got '{{' at column 1 of '{{'"),
    ],
)
def test_a_wrong_property_names_its_rule(field, value, message):
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({field: value})
    assert caught.value.errors()[0]["msg"] == message


def test_the_error_of_a_property_carries_the_offset():
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"topic": "{{ a | x }}"})
    assert caught.value.errors()[0]["ctx"]["offset"] == 7


def test_equality_and_hash_are_of_the_text_and_the_type():
    assert Expression("a") == Expression("a")
    assert Expression("a") != Expression("b")
    assert Expression("a == 'b'") != Predicate("a == 'b'")
    assert len({Expression("a"), Expression("a")}) == 1
    assert (str(Expression("a")), repr(Expression("a"))) == ("a", "Expression('a')")


def test_an_expression_is_immutable_and_can_be_copied_and_pickled():
    expression = Expression("{{ a }}")
    with pytest.raises(AttributeError, match=r"^Expression must not be changed; got a new 'text'$"):
        expression.text = "b"
    assert copy.deepcopy(expression) == expression
    assert pickle.loads(pickle.dumps(expression)) == expression


def test_a_literal_does_not_import_jinja2():
    program = (
        "import sys; from flowengine.expressions import Expression; Expression('users');"
        "sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
