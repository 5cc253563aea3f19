"""What ``docs/flow-tests.md`` says is so."""

import json
import re
from pathlib import Path

from flowengine.flowtest import run_file
from flowengine.flowtest.model import Emit, Expected, FlowTest, Given, Replacement, Step

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "flow-tests.md").read_text(encoding="utf-8")


def test_the_example_holds(tmp_path):
    [block] = re.findall(r"```json\n(\{\n.*?)```", PAGE, re.DOTALL)
    test = json.loads(block)
    test["flow"] = str(ROOT / "flows" / "users-producer.json")
    (tmp_path / "t.json").write_text(json.dumps(test))
    assert not run_file(tmp_path / "t.json").failed


def test_every_key_is_documented():
    for part in (FlowTest, Replacement, Given, Expected, Emit, Step):
        for name, field in part.model_fields.items():
            assert re.search(rf'["`]{field.alias or name}["`]', PAGE), f"{name} must be described"


def test_every_step_of_the_table_is_one():
    rows = re.findall(r"^\| `(\{.*?\})` \| ", PAGE.partition("## Steps")[2], re.MULTILINE)
    texts = [row.replace(": …", ": []").replace("[FlowFile, []]", "[{}]") for row in rows]
    texts = [text.replace("[FlowFile, …]", "[{}]").replace(": time", ": 1") for text in texts]
    kinds = {Step.model_validate(json.loads(text)).kind for text in texts}
    assert kinds == set(Step.KINDS)
