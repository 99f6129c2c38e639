"""``ffzoo runs`` and ``ffzoo.list_runs``: what each run is of and how far it came, from its files alone."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import ffzoo
from ffzoo.cli.main import main
from ffzoo.errors import OptionError
from ffzoo.run.folder import RunFolder
from ffzoo.run.spec import make_run


def written(folder, algo="dtg_ff", seed=0, epochs=3, done=0, accuracy=None, dataset="digits"):
    """A run's files without its training."""
    run = RunFolder(folder)
    run.write_config(make_run(algo, dataset, seed=seed, epochs=epochs).to_json())
    for epoch in range(1, done + 1):
        run.append_metrics({"epoch": epoch})
    if accuracy is not None:
        run.write_result({"test_accuracy": accuracy})


@pytest.fixture
def runs(tmp_path):
    written(tmp_path / "s10", seed=10, done=3, accuracy=0.975)
    written(tmp_path / "s2", seed=2, done=1)
    written(tmp_path / "deep" / "er", algo="bp", dataset="npz:/some/where/mine.npz")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "config.json").write_text('{"experiment": "compare", "options": {}}')
    return tmp_path


def test_each_run_is_listed_with_what_it_is_of_and_how_far_it_came(runs):
    found = {str(run.folder.relative_to(runs)): run for run in ffzoo.list_runs(runs)}
    assert list(found) == ["deep/er", "s2", "s10"]  # in the order of a reader, and no study among them
    assert [run.state for run in found.values()] == ["not started", "unfinished", "finished"]
    assert [run.test_accuracy for run in found.values()] == [None, None, 0.975]
    assert (found["s2"].epochs_done, found["s2"].epochs, found["s2"].seed) == (1, 3, 2)


def test_the_table_names_what_cannot_be_read_and_goes_on(runs, capsys):
    (runs / "broken").mkdir()
    (runs / "broken" / "config.json").write_text("{")
    (runs / "s2" / "metrics.jsonl").write_text('{"epoch": 1}\n{"epo')  # killed while it wrote
    assert main(["runs", str(runs)]) == 0
    out, err = capsys.readouterr()
    rows = {line.split()[0]: line.split() for line in out.splitlines()[2:]}
    assert rows["broken"][1] == "unreadable" and "config.json" in err and err.count("\n") == 1
    assert rows["s10"][1:8] == ["dtg_ff", "digits", "mlp", "3", "10", "97.50", "finished"]
    assert rows["s2"][4:8] == ["1/3", "2", "-", "unfinished"]
    assert rows["deep/er"][1:3] == ["bp", "npz:mine.npz"]


def test_one_run_alone_is_listed_by_its_own_name(runs, capsys):
    assert main(["runs", str(runs / "s10")]) == 0
    assert "s10" in capsys.readouterr().out


def test_a_folder_without_runs_is_said(tmp_path, capsys):
    with pytest.raises(OptionError, match="holds no run"):
        ffzoo.list_runs(tmp_path)
    assert main(["runs", str(tmp_path / "nowhere")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_the_list_of_runs_imports_nothing_heavy(runs):
    heavy = "{'torch', 'numpy', 'scipy', 'sklearn', 'matplotlib', 'timm'}"
    code = f"import sys; from ffzoo.cli.main import main; main(['runs', {str(runs)!r}]); "
    code += f"sys.exit(str({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "unfinished" in done.stdout and done.stderr.strip() == "set()"


def test_a_result_of_other_fields_is_unreadable_and_not_an_accident(runs, capsys):
    (runs / "s10" / "result.json").write_text(json.dumps({"accuracy": 1}))
    assert main(["runs", str(runs)]) == 0
    out, err = capsys.readouterr()
    assert "unreadable" in out and "'test_accuracy'" in err
