"""The command line: bad input is one line on stderr and a non-zero exit; good input is a table."""

from __future__ import annotations

import dataclasses
import inspect
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ffzoo
from ffzoo.cli.main import COMMANDS, parser
from ffzoo.cli.main import main as command
from ffzoo.cli.train import OPTIONS, spec
from ffzoo.eval import main
from ffzoo.files import read_json
from ffzoo.registry.loader import ZOO
from ffzoo.run import evaluate as evaluation
from ffzoo.run.configuration import KEYS, read, shipped
from ffzoo.run.results import RunResult, summary
from ffzoo.run.spec import RunSpec, make_run
from ffzoo.training import checkpoint

QUICK = ["--epochs", "1", "--quiet", "--set", "data.train_size=60", "--set", "data.test_size=40"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "x"
    assert main(["--algo", "dtg_ff", "--out", str(folder), *QUICK]) == 0
    return folder


def broken_copy(finished: Path, target: Path, damage) -> Path:
    target.mkdir()
    for file in finished.iterdir():
        if file.name != "result.json":
            (target / file.name).write_bytes(file.read_bytes())
    damage(target)
    return target


def flip_a_bit(folder: Path) -> None:
    path = folder / "checkpoint.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def save_npz(path: Path, **changes) -> str:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (60, 6, 6), dtype=np.uint8)
    labels = np.arange(60) % 3
    np.savez(path, **({"x_train": images, "y_train": labels, "x_test": images, "y_test": labels} | changes))
    return f"npz:{path}"


def plugin(path: Path, source: str) -> str:
    path.write_text(source)
    return str(path)


CLASH = """
from ffzoo import hookimpl
@hookimpl
def register_algorithms(register):
    register("dtg_ff", "nowhere:at_all")
"""
TYPO = CLASH.replace("register_algorithms", "register_algoritms")

BAD = {
    "unknown algorithm": (lambda t, f: ["--algo", "dtgff"], "did you mean 'dtg_ff'"),
    "unknown backbone": (lambda t, f: ["--backbone", "cmm"], "unknown backbone 'cmm'"),
    "unknown timm model": (lambda t, f: ["--backbone", "timm:resnet19"], "resnet18"),
    "unknown data set": (lambda t, f: ["--dataset", "cifar11"], "did you mean 'cifar10'"),
    "unknown option": (lambda t, f: ["--set", "fit.leraning_rate=1"], "unknown option 'fit.leraning_rate'"),
    "an option without its section": (lambda t, f: ["--set", "lr=0.1"], "'lr': did you mean 'fit.lr'?"),
    "a part's option without the part": (lambda t, f: ["--set", "grid=2"], "did you mean 'goodness.grid'?"),
    "an option of the command": (lambda t, f: ["--set", "precision=bf16"], "did you mean '--precision'?"),
    "a misspelt section": (lambda t, f: ["--set", "fitt.lr=1"], "did you mean 'fit'?"),
    "an algorithm as its paper writes it": (lambda t, f: ["--algo", "DTG-FF"], "'DTG-FF': did you mean 'dtg_ff'?"),
    "a name with a dash": (lambda t, f: ["--algo", "Mono-Forward"], "did you mean 'mono_forward'?"),
    "a baseline with a dash": (lambda t, f: ["--against", "bp-deepsup"], "did you mean 'bp_deepsup'?"),
    "a name in capitals and misspelt": (lambda t, f: ["--algo", "LAYER-COLABORATION"], "mean 'layer_collaboration'?"),
    "a data set as its paper writes it": (lambda t, f: ["--dataset", "CIFAR-10"], "did you mean 'cifar10'?"),
    "no epochs": (lambda t, f: ["--epochs", "0"], "epochs is 0; expected at least 1, or none"),
    "a negative batch": (lambda t, f: ["--batch-size", "-3"], "batch_size is -3; expected at least 1, or none"),
    "an unknown precision": (lambda t, f: ["--precision", "fp8"], "'fp8'; expected 'fp32' or 'bf16'"),
    "an unknown device": (lambda t, f: ["--device", "gpu"], "device is 'gpu'; expected auto, cpu, cuda or mps"),
    "an option that there is not": (lambda t, f: ["--algos", "bp"], "unknown option '--algos': did you mean '--algo'"),
    "a word too many": (lambda t, f: ["bp"], "ffzoo train does not take 'bp'"),
    "an option without its value": (lambda t, f: ["--quiet", "--dataset"], "--dataset: expected one argument"),
    "validation that there is not": (
        lambda t, f: ["--set", "data.test=validation", "--set", "data.validation=0"],
        "error: data.test=validation needs data.validation > 0\n",
    ),
    "winograd in half precision": (
        lambda t, f: ["--convolution", "winograd", "--precision", "bf16"],
        "error: convolution=winograd needs precision=fp32\n",
    ),
    "option nothing reads": (lambda t, f: ["--set", "forward_norm.eps=1"], "has no options"),
    "wrong type": (lambda t, f: ["--set", "fit.lr=fast"], "expected a number"),
    "out of range": (lambda t, f: ["--set", "goodness.grid=0"], "expected at least 1"),
    "not KEY=VALUE": (lambda t, f: ["--set", "fit.lr"], "not KEY=VALUE"),
    "seeds that are no numbers": (lambda t, f: ["--seeds", "0,x"], "list of whole numbers"),
    "against itself": (lambda t, f: ["--against", "dtg_ff"], "the algorithm itself"),
    "a device that is not there": (lambda t, f: ["--device", "mps"], "not available here"),
    "missing config file": (lambda t, f: ["--config", str(t / "no.toml")], "cannot be read"),
    "config that is no TOML": (lambda t, f: ["--config", plugin(t / "x.toml", "a = = 1")], "is not TOML"),
    "config that is no text": (lambda t, f: ["--config", str(f / "checkpoint.safetensors")], "it is not text"),
    "unknown configuration": (lambda t, f: ["--config", "fast_cifr"], "did you mean 'fast_cifar'"),
    "no configuration of that name": (
        lambda t, f: ["--config", "xyz"],
        "choose from dtg_cifar, dtg_cifar_global, fast_cifar, fast_cifar_deep, fast_cifar_wide, mnist_mlp, "
        "vanilla_mnist",
    ),
    "a table run with another key": (
        lambda t, f: ["--config", plugin(t / "x.toml", "[run]\nepoch = 3")],
        "unknown option 'run.epoch': did you mean 'epochs'",
    ),
    "a table run with a wrong value": (
        lambda t, f: ["--config", plugin(t / "x.toml", '[run]\nprecision = "fp8"')],
        "option 'run.precision' is 'fp8'; expected 'fp32' or 'bf16'",
    ),
    "a table run with a folder of the machine": (
        lambda t, f: ["--config", plugin(t / "x.toml", '[run]\nout = "runs"')],
        "unknown option 'run.out'",
    ),
    "run that is no table": (lambda t, f: ["--config", plugin(t / "x.toml", "run = 3")], "expected a table [run]"),
    "resume with a configuration": (lambda t, f: ["--resume", str(f), "--config", "fast_cifar"], "cannot change"),
    "labels out of range": (
        lambda t, f: ["--dataset", save_npz(t / "d.npz", y_test=np.arange(60)), "--backbone", "mlp"],
        "out of range",
    ),
    "NaN images": (
        lambda t, f: ["--dataset", save_npz(t / "d.npz", x_train=np.full((60, 6), np.nan, np.float32))],
        "NaN",
    ),
    "an empty folder": (lambda t, f: ["--dataset", f"folder:{t}"], "folder"),
    "missing data": (lambda t, f: ["--dataset", "imagenet100", "--data-dir", str(t)], "missing"),
    "corrupt data": (
        lambda t, f: ["--dataset", f"npz:{plugin(t / 'bad.npz', 'no zip')}"],
        "bad.npz",
    ),
    "a subset larger than its part": (lambda t, f: ["--set", "data.test_size=99999"], "test_size"),
    "a seed among the options": (lambda t, f: ["--set", "fit.seed=5"], "expected --seed"),
    "an option given twice": (lambda t, f: ["--set", "fit.epochs=5"], "given twice"),
    "epochs and minutes": (lambda t, f: ["--minutes", "1"], "expected one of them"),
    "an infinite rate": (lambda t, f: ["--set", "fit.lr=inf"], "expected a number"),
    "a label shown to a class goodness": (lambda t, f: ["--set", "label_embedding=overlay"], "show it the right one"),
    "negatives nobody reads": (lambda t, f: ["--set", "negatives=hybrid_images"], "expected negatives=none"),
    "best range without validation": (lambda t, f: ["--set", "data.validation=0"], "fusion=sum"),
    "a fusion that starts too late": (
        lambda t, f: ["--algo", "bp", "--set", "fusion=sum", "--set", "fusion.first=1"],
        "at most 0",
    ),
    "resume with another precision": (lambda t, f: ["--resume", str(f), "--precision", "bf16"], "cannot change"),
    "resume with a seed": (lambda t, f: ["--resume", str(f), "--seed", "1"], "cannot change"),
    "a plugin file named like a module": (lambda t, f: ["--plugin", plugin(t / "random.py", "")], "rename"),
    "resume of nothing": (lambda t, f: ["--resume", str(t / "nothing")], "is no folder"),
    "resume of an empty folder": (lambda t, f: ["--resume", str(t)], "config.json"),
    "resume under another name": (lambda t, f: ["--resume", str(f), "--algo", "bp"], "algo 'dtg_ff', not 'bp'"),
    "resume with other options": (lambda t, f: ["--resume", str(f), "--set", "fit.lr=1"], "cannot change"),
    "truncated checkpoint": (
        lambda t, f: ["--resume", str(broken_copy(f, t / "c", lambda d: os.truncate(d / checkpoint.TENSORS, 300)))],
        "not a readable checkpoint",
    ),
    "altered checkpoint": (lambda t, f: ["--resume", str(broken_copy(f, t / "c", flip_a_bit))], "was altered"),
    "checkpoint of another network": (
        lambda t, f: [
            "--resume",
            str(
                broken_copy(
                    f,
                    t / "c",
                    lambda d: (d / "config.json").write_text(
                        (d / "config.json").read_text().replace('"width": 500', '"width": 30')
                    ),
                )
            ),
        ],
        "another network",
    ),
    "an existing run": (lambda t, f: ["--out", str(f)], "--resume"),
    "a plugin that is not there": (lambda t, f: ["--plugin", str(t / "no.py")], "does not exist"),
    "a plugin that raises": (lambda t, f: ["--plugin", plugin(t / "boom.py", "1 / 0")], "ZeroDivisionError"),
    "two plugins with one name": (lambda t, f: ["--plugin", plugin(t / "clash.py", CLASH)], "registered already"),
    "a misspelt hook": (lambda t, f: ["--plugin", plugin(t / "typo.py", TYPO)], "register_algorithms"),
    "a model that brings no head": (lambda t, f: ["--algo", "bp", "--set", "head=native"], "no head of its own"),
    "overlay without room": (
        lambda t, f: ["--algo", "vanilla_ff", "--dataset", "teacher_student", "--set", "data.dim=4"],
        "expected at least as many inputs",
    ),
    "augmentation without images": (
        lambda t, f: ["--dataset", "teacher_student", "--set", "fit.augment=flip"],
        "no images",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case, tmp_path, finished, capsys):
    arguments, expected = BAD[case]
    resumes = case.startswith("resume") or "checkpoint" in case or "subset" in case
    status = main([*(["--quiet"] if resumes else QUICK), *arguments(tmp_path, finished)])
    err = capsys.readouterr().err
    assert status != 0
    assert expected in err
    assert err.startswith("error: ") and err.count("\n") == 1 and "Traceback" not in err


def test_a_full_disk_is_one_line_and_leaves_the_old_checkpoint(tmp_path, monkeypatch, capsys):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", "checkpoint.safetensors.tmp")

    saves = []
    real = checkpoint.save_file

    def second_time_full(tensors, path, metadata):
        saves.append(path)
        return real(tensors, path, metadata) if len(saves) == 1 else full()

    monkeypatch.setattr(checkpoint, "save_file", second_time_full)
    assert main(["--out", str(tmp_path / "x"), *QUICK, "--epochs", "3"]) == 3
    err = capsys.readouterr().err
    assert "No space left on device" in err and err.count("\n") == 1
    monkeypatch.undo()
    assert main(["--resume", str(tmp_path / "x"), "--quiet"]) == 0


def test_an_unwritable_folder_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    assert main(["--out", str(tmp_path / "file" / "x"), *QUICK]) == 3
    assert "Not a directory" in capsys.readouterr().err


def test_debug_shows_the_traceback(capsys):
    assert main(["--algo", "dtgff", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_says_how_to_go_on(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "run_all", interrupted)
    assert main(QUICK) == 130
    assert "--resume" in capsys.readouterr().err


def test_list_names_everything(capsys):
    assert main(["--list"]) == 0
    words = capsys.readouterr().out.split()
    for name in [*ffzoo.list_algorithms(), *ffzoo.list_backbones(), *ffzoo.list_datasets(), "timm:", "folder:"]:
        assert name in words


def test_config_file_and_set(tmp_path, capsys):
    path = tmp_path / "run.toml"
    path.write_text('fusion = "last"\n[goodness]\ngrid = 1\n[fit]\nlr = 0.5\n[backbone]\nwidth = 9\n')
    assert main(["--config", str(path), "--set", "fit.lr=0.002", "--out", str(tmp_path / "x"), *QUICK]) == 0
    config = read_json(tmp_path / "x" / "config.json")
    assert config["fit"]["lr"] == 0.002 and config["backbone_options"]["width"] == 9
    assert config["algorithm"]["fusion"]["name"] == "last"


RUN = """
fusion = "sum"
[run]
algo = "bp"
against = ["dtg_ff", "bp_deepsup"]
dataset = "digits"
backbone = "cnn"
epochs = 3
batch_size = 20
precision = "bf16"
memory_format = "contiguous"
[fit]
lr = 0.5
"""


def chosen(*arguments):
    return spec(parser().parse_args(["train", "--quiet", *arguments]))


def test_the_table_run_of_a_config_and_what_overrides_it(tmp_path):
    path = plugin(tmp_path / "run.toml", RUN)
    file = RunSpec(
        algo="bp",
        against=("dtg_ff", "bp_deepsup"),
        dataset="digits",
        backbone="cnn",
        epochs=3,
        batch_size=20,
        precision="bf16",
        memory_format="contiguous",
        settings={"fusion": "sum", "fit.lr": 0.5},
    )
    assert chosen("--config", path) == file
    flags = ["--algo", "dtg_ff", "--against", "bp", "--dataset", "mnist", "--backbone", "mlp", "--epochs", "1"]
    flags += ["--batch-size", "9", "--precision", "fp32", "--memory-format", "channels_last", "--set", "fit.lr=2"]
    assert chosen("--config", path, *flags) == RunSpec(
        algo="dtg_ff",
        against=("bp",),
        dataset="mnist",
        backbone="mlp",
        epochs=1,
        batch_size=9,
        settings={"fusion": "sum", "fit.lr": "2"},
    )
    # Another way to say how long overrides the file too.
    assert chosen("--config", path, "--minutes", "2").epochs is None
    other = chosen("--config", path, "--set", "fit.epochs=2", "--set", "fit.batch_size=4")
    assert (other.epochs, other.batch_size) == (None, None) and other.settings["fit.epochs"] == "2"
    assert chosen("--config", path, "--against", "none").against == ()
    assert chosen("--against", "bp, bp_deepsup").against == ("bp", "bp_deepsup")
    short = plugin(tmp_path / "short.toml", "[run]\nminutes = 2")
    assert chosen("--config", short).minutes == 2
    overridden = chosen("--config", short, "--epochs", "3")
    assert (overridden.minutes, overridden.epochs) == (0, 3)


VALUES = {
    "algo": "bp",
    "dataset": "mnist",
    "backbone": "mlp",
    "epochs": 3,
    "minutes": 2.0,
    "batch_size": 9,
    "seeds": (1, 2),
    "settings": {"fit.lr": "0.5"},
    "against": ("dtg_ff",),
    "device": "cpu",
    "precision": "bf16",
    "memory_format": "contiguous",
    "convolution": "winograd",
    "micro_batch": 8,
    "compile": True,
    "checkpoint_blocks": True,
    "data_dir": Path("data"),
    "out": Path("runs"),
    "progress": True,
    "metrics": ("top5",),
    "observers": ("watcher",),
}


def text_of(value):
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def toml_of(value):
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def test_the_keywords_of_evaluate_are_the_fields_of_a_specification(monkeypatch):
    fields = {field.name: field for field in dataclasses.fields(RunSpec)}
    parameters = inspect.signature(ffzoo.evaluate).parameters
    assert set(parameters) - {"goodness"} == set(fields) == set(VALUES)  # a goodness becomes one of the settings
    for name in set(fields) - {"settings"}:
        assert parameters[name].default == fields[name].default, name
    monkeypatch.setattr(evaluation, "carry_out", lambda said: said)
    for name, value in VALUES.items():
        assert getattr(ffzoo.evaluate(**{name: value}), name) == value
    said = ffzoo.evaluate(seeds=3, against="bp", out="runs", data_dir="data")
    assert (said.seeds, said.against, said.out, said.data_dir) == ((3,), ("bp",), Path("runs"), Path("data"))


def test_every_field_is_an_option_of_the_command_and_a_key_of_the_table_run(tmp_path):
    assert {*OPTIONS, "settings", "progress"} == {field.name for field in dataclasses.fields(RunSpec)}
    assert set(OPTIONS) - set(KEYS) == {"data_dir", "out"} and not set(KEYS) - set(OPTIONS)
    for name in OPTIONS:
        value, option = VALUES[name], f"--{name.replace('_', '-')}"
        assert getattr(chosen(option, *([] if value is True else [text_of(value)])), name) == value
        if name in KEYS:
            path = plugin(tmp_path / "one.toml", f"[run]\n{name} = {toml_of(value)}")
            assert getattr(chosen("--config", path), name) == value
    quickstart = (Path(__file__).parent.parent / "docs" / "quickstart.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in quickstart for name in KEYS), "docs/quickstart.md does not name every key of [run]"


def test_a_run_from_its_table_alone(tmp_path):
    path = plugin(tmp_path / "run.toml", RUN.replace("0.5", "0.001").replace('"cnn"', '"mlp"'))
    small = ["--set", "data.train_size=60", "--set", "data.test_size=40", "--quiet"]
    assert main(["--config", path, "--against", "none", "--out", str(tmp_path / "x"), *small]) == 0
    config = read_json(tmp_path / "x" / "config.json")
    assert (config["algo"], config["fit"]["epochs"], config["fit"]["batch_size"]) == ("bp", 3, 20)
    assert config["execution"]["precision"] == "bf16" and config["execution"]["memory_format"] == "contiguous"
    again = ["--config", path, "--convolution", "winograd", "--precision", "fp32", "--against", "none", *small]
    assert main([*again, "--out", str(tmp_path / "y")]) == 0
    assert read_json(tmp_path / "y" / "config.json")["execution"]["convolution"] == "winograd"


def test_what_ships_is_there_by_its_name(capsys):
    for name, line in shipped().items():
        assert line
        said = read(name)[0]
        for algo in (said["algo"],) if "algo" in said else ("dtg_ff", "bp"):  # for every algorithm
            (run,) = chosen("--config", name, "--algo", algo).runs()
            assert run.fit.epochs == said["epochs"]
    run = make_run("dtg_ff", "cifar10", backbone="whitened_cnn", settings=chosen("--config", "fast_cifar").settings)
    assert run.fit.optimizer == "muon" and run.fit.augment == ("crop", "alternating_flip") and run.data.test_flip
    assert main(["--list"]) == 0
    assert "fast_cifar" in capsys.readouterr().out


def test_a_plugin_file_adds_an_algorithm(tmp_path):
    source = """
from ffzoo import hookimpl
from ffzoo_zoo.dtg_ff import DTG_FF

@hookimpl
def register_algorithms(register):
    register("from_a_file", DTG_FF.set({"goodness.power": 1}), summary="a test")
"""
    path = plugin(tmp_path / "my_variant.py", source)
    try:
        assert main(["--plugin", path, "--algo", "from_a_file", *QUICK]) == 0
    finally:
        ZOO.unregister(sys.modules["my_variant"], "my_variant")


def test_console_script_dispatches(capsys):
    assert command(["plugins", "--json"]) == 0
    assert command(["list"]) == 0
    assert command([]) == 0
    assert command(["evall"]) == 2
    assert "did you mean 'eval'" in capsys.readouterr().err
    assert command(["--quiet"]) == 2
    assert "unknown option '--quiet'" in capsys.readouterr().err
    assert command(["check"]) == 2
    assert "neither names nor --all" in capsys.readouterr().err
    assert command(["check", "goodness:mean_squares", "schedules:greedy"]) == 0
    assert "measured" in capsys.readouterr().out


def test_progress_lines_and_table(capsys):
    assert main([q for q in QUICK if q != "--quiet"]) == 0
    captured = capsys.readouterr()
    assert "epoch 1/1" in captured.err and "val" in captured.err
    for word in ("dtg_ff", "images/s", "strictly", "fused", "gradients stay in their block"):
        assert word in captured.out


def test_module_entry_point_exits_with_the_status():
    done = subprocess.run([sys.executable, "-m", "ffzoo.eval", "--algo", "nope"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and not done.stdout


def test_a_refused_start_leaves_no_folder(tmp_path, capsys):
    assert main(["--device", "mps", "--out", str(tmp_path / "x"), *QUICK]) == 2
    assert not (tmp_path / "x").exists()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_shows_accuracy_and_after_twenty_steps_the_time_left(monkeypatch):
    from ffzoo.run.observers import Run
    from ffzoo.run.spec import make_run
    from ffzoo.run.terminal import Progress

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    progress = Progress([60])
    progress.start(Run(make_run("dtg_ff"), None, None, 60))
    shown = []
    for _ in range(30):
        progress.step({"accuracy/1": torch.tensor(0.25), "accuracy/2": torch.tensor(0.75)})
        with progress.console.capture() as captured:
            progress.console.print(progress.bar.make_tasks_table(progress.bar.tasks))
        shown.append(captured.get())
    progress.close(None)
    assert "30/60" in shown[-1] and "train 75.0%" in shown[-1] and "dtg_ff-digits-mlp-s0" in shown[-1]
    assert "left " in shown[19] and "left " not in shown[18]


# ---------------------------------------------------------------- the commands


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_80_columns(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert command([*([name] if name else []), "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5 and [line for line in lines if len(line) > 80] == []


def test_the_help_lists_every_command_and_the_version_is_said(capsys):
    assert command(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^ +{name}\b|\({name}\)", text, re.M) for name in COMMANDS)
    assert command(["--version"]) == 0
    assert capsys.readouterr().out == f"ffzoo {ffzoo.__version__}\n"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("ffzoo", ""),
        ("ffzoo.eval", "train"),
        ("ffzoo.bench", "bench"),
        ("ffzoo.report", "report"),
        ("ffzoo.plugins", "plugins"),
    ],
)
def test_python_m_leads_to_the_same_parser(module, name):
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: ffzoo {name}".rstrip())


def test_list_imports_nothing_heavy():
    heavy = "{'torch', 'numpy', 'scipy', 'sklearn', 'matplotlib', 'timm', 'tqdm'}"
    code = f"import sys; from ffzoo.cli.main import main; main(['list']); sys.exit(str({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "dtg_ff" in done.stdout and done.stderr.strip() == "set()"


def test_compare_is_the_experiment_of_that_name(tmp_path, capsys):
    small = "--set data.train_size=60 --set fit.augment=none --epochs 1 --seeds 0 --trials 1 --workers 1".split()
    out = tmp_path / "x"
    assert command(["compare", "dtg_ff", "bp", *small, "--out", str(out)]) == 0
    assert "dtg_ff" in capsys.readouterr().out
    assert {path.suffix for path in out.iterdir()} >= {".md", ".json", ".tex", ".bib"}
    assert json.loads((out / "config.json").read_text())["options"]["algos"] == ["dtg_ff", "bp"]
    assert command(["compare", "bp"]) == 2
    assert "expected at least 2" in capsys.readouterr().err


# ---------------------------------------------------------------- tables


def a_result(algo: str, seed: int, blocks: int) -> RunResult:
    values = {field.name: None for field in dataclasses.fields(RunResult)}
    values |= {"algo": algo, "seed": seed, "blocks": blocks, "max_weight_layers_per_block": 1, "test_accuracy": 0.9123}
    values |= {"per_block_accuracy": [0.5 + l / 100 for l in range(blocks)], "images_per_second": 12345.6}
    values |= {"saved_activation_bytes": 2**28, "peak_memory_bytes": 2**32, "strictly_local": True}
    return RunResult(**values | {"locality": {"structural": True, "black_box": None}})


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("blocks", [3, 12, 30])
@pytest.mark.parametrize(
    "arms", [["dtg_ff"], ["distance_forward", "bp_deepsup", "layer_collaboration", "nokland_pred"]]
)
def test_the_tables_of_a_run_fit_and_show_every_figure(width, blocks, arms, monkeypatch):
    from rich.console import Console

    from ffzoo.run import terminal

    out = Console(file=io.StringIO(), width=width, highlight=False)
    monkeypatch.setattr(terminal, "console", lambda: out)
    terminal.ResultTable().close(summary([a_result(name, seed, blocks) for name in arms for seed in (0, 1)]))
    text = out.file.getvalue()
    assert "…" not in text and max(map(len, text.splitlines())) <= width
    for l in range(blocks):
        assert len(re.findall(rf"\b{50 + l}\.00", text)) == len(arms), f"block {l + 1}"
    assert text.count("12,346") == 2 * len(arms) and text.count("91.23 ± 0.00") == len(arms)
    turned = re.search(r"^ ?1 +50\.00", text, re.M) is not None
    assert turned == (blocks == 30 or (blocks == 12 and width < 120))
