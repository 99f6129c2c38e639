"""The page on bringing one's own: its snippets run, one after the other, as a reader would."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "bring-your-own.md"


@pytest.mark.skipif(not PAGE.exists(), reason="not a source checkout")
def test_the_snippets_run_in_order(tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnxscript")
    monkeypatch.chdir(tmp_path)
    snippets = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(snippets) == 7
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(compile(snippet, PAGE.name, "exec"), names)
    assert (tmp_path / "mine.onnx").exists() and (tmp_path / "mine" / "config.json").exists()
    assert "head: '8' (3 outputs" in capsys.readouterr().out
