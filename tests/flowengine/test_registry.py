"""Types by name, from whatever package is installed."""

import sys

import pytest

from flowengine import registry
from flowengine.errors import DefinitionError, EnvironmentFault
from flowengine.processor import ControllerService, Processor

MODULE = """
from flowengine.processor import ControllerService, Processor

class Mine(Processor):
    pass

class MyService(ControllerService):
    pass

app = "a command"
"""
ENTRIES = """
[flowengine.processors]
Mine = plugin:Mine
Broken = plugin_broken:Broken
Gone = plugin:Gone
NoProcessor = plugin:MyService
[flowengine.services]
MyService = plugin:MyService
[flowengine.commands]
mine = plugin:app
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A package with entry points, as pip would install it."""
    (tmp_path / "plugin.py").write_text(MODULE)
    (tmp_path / "plugin_broken.py").write_text("import no_such_module_anywhere\n")
    info = tmp_path / "plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.refresh()
    yield
    registry.refresh()
    sys.modules.pop("plugin", None)


@pytest.mark.usefixtures("plugin")
def test_names_are_listed_without_importing_anything():
    assert "Mine" in registry.processor_types()
    assert "MyService" in registry.service_types()
    assert "mine" in registry.command_types()
    assert "plugin" not in sys.modules


@pytest.mark.usefixtures("plugin")
def test_classes_are_imported_when_asked_for():
    assert issubclass(registry.processor_class("Mine"), Processor)
    assert issubclass(registry.service_class("MyService"), ControllerService)
    assert registry.command("mine") == "a command"


@pytest.mark.usefixtures("plugin")
def test_an_unknown_type_says_what_was_meant():
    with pytest.raises(DefinitionError) as caught:
        registry.processor_class("mien")
    assert str(caught.value) == (
        "processor type must be an installed one; got 'mien'; did you mean 'Mine'?"
    )


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_that_does_not_import_is_named_with_its_reason():
    with pytest.raises(EnvironmentFault) as caught:
        registry.processor_class("Broken")
    assert str(caught.value) == (
        "plug-in processor 'Broken' (plugin_broken:Broken) must be importable; "
        "got ModuleNotFoundError: No module named 'no_such_module_anywhere'; "
        "repair or remove the package that provides it"
    )


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_without_its_class_is_named():
    with pytest.raises(EnvironmentFault, match=r"'Gone' \(plugin:Gone\) must be importable"):
        registry.processor_class("Gone")


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_of_another_kind_is_refused():
    with pytest.raises(EnvironmentFault) as caught:
        registry.processor_class("NoProcessor")
    assert str(caught.value) == (
        "plug-in processor 'NoProcessor' (plugin:MyService) must be a Processor class; got type"
    )


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_ports_and_funnels_are_always_there(name):
    assert registry.processor_class(name).__name__ == name


def test_a_remedy_lists_what_there_is_when_nothing_is_near():
    assert registry.suggest("zzz", ["b", "a"]) == "there are a, b"
    assert registry.suggest("zzz", ["a"]) == "there is a"
    assert registry.suggest("zzz", []) == "there are none"
