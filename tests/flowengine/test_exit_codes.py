import pytest

from flowengine.errors import DefinitionError, EnvironmentFault, PropertyError
from flowengine.exit_codes import ExitCode, exit_code_of, is_ours, leaves


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DefinitionError("x"), ExitCode.DEFINITION),
        (PropertyError("x"), ExitCode.DEFINITION),
        (EnvironmentFault("x"), ExitCode.RUNTIME),
        (KeyError("x"), ExitCode.RUNTIME),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (ExceptionGroup("g", [DefinitionError("x")]), ExitCode.DEFINITION),
        (ExceptionGroup("g", [DefinitionError("x"), EnvironmentFault("y")]), ExitCode.RUNTIME),
    ],
)
def test_who_should_act_decides_the_code(error, code):
    assert exit_code_of(error) is code


def test_groups_are_opened_to_their_leaves():
    one, two = ValueError(1), ValueError(2)
    group = ExceptionGroup("outer", [one, ExceptionGroup("inner", [two])])
    assert list(leaves(group)) == [one, two]


def test_one_stranger_makes_a_group_unexpected():
    assert is_ours(ExceptionGroup("g", [EnvironmentFault("x")]))
    assert not is_ours(ExceptionGroup("g", [EnvironmentFault("x"), ValueError()]))
