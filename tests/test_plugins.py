"""The loader: isolation of broken plugins, clashes, misspelt hooks, provenance, laziness."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import ffzoo
from ffzoo import hookimpl
from ffzoo.errors import PluginError, UnknownNameError
from ffzoo.registry.entries import KINDS, Provenance
from ffzoo.registry.loader import ZOO, PluginWarning, Zoo


def make_plugin(**hooks):
    plugin = ModuleType("made_plugin")
    vars(plugin).update({name: hookimpl(function) for name, function in hooks.items()})
    return plugin


def install(folder: Path, distribution: str, version: str, plugin: str, module: str, source: str) -> None:
    """What pip leaves behind: a module and its dist-info."""
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[ffzoo]\n{plugin} = {module}\n")


def listing(folder: Path, **env: str) -> tuple[dict, str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FFZOO_")}
    environment |= {"PYTHONPATH": str(folder)} | env
    done = subprocess.run(
        [sys.executable, "-m", "ffzoo.plugins", "--json"], env=environment, capture_output=True, text=True, timeout=60
    )
    return json.loads(done.stdout) if done.stdout else {}, done.stderr


GOOD = """
from ffzoo import hookimpl
@hookimpl
def register_goodness(register):
    register({name!r}, "nowhere:at_all", summary="lazy: never imported by a listing")
"""


def test_broken_plugins_are_skipped_and_the_others_stay(tmp_path):
    install(tmp_path, "aa-broken", "0.1", "aa_broken", "aa_broken", "import a_module_that_is_missing")
    install(tmp_path, "bb-typo", "0.2", "bb_typo", "bb_typo", GOOD.replace("_goodness", "_goodnes").format(name="x"))
    clash = GOOD.format(name="fine") + '    register("projection", "nowhere:again")\n'
    install(tmp_path, "cc-clash", "0.3", "cc_clash", "cc_clash", clash)
    install(tmp_path, "dd-good", "0.4", "dd_good", "dd_good", GOOD.format(name="good"))
    found, _ = listing(tmp_path)
    loaded = {p["plugin"]: p for p in found["plugins"]}
    assert {"ffzoo", "bp", "dtg_ff", "vanilla_ff", "dd_good"} <= set(loaded)
    assert loaded["dd_good"]["registered"] == {"goodness": ["good"]}
    assert (loaded["dd_good"]["distribution"], loaded["dd_good"]["version"]) == ("dd-good", "0.4")
    reasons = {s["plugin"]: s["reason"] for s in found["skipped"]}
    assert "a_module_that_is_missing" in reasons["aa_broken"]
    assert "register_goodness" in reasons["bb_typo"]
    # The half-registered plugin left nothing behind, and the message names both distributions.
    assert "'projection'" in reasons["cc_clash"] and "cc-clash" in reasons["cc_clash"]
    assert "plugin 'ffzoo'" in reasons["cc_clash"]
    assert "fine" not in json.dumps(found["plugins"])


def test_two_distributions_with_one_plugin_name(tmp_path):
    install(tmp_path, "first-dist", "1.0", "same", "same_one", GOOD.format(name="one"))
    install(tmp_path, "second-dist", "1.0", "same", "same_two", GOOD.format(name="two"))
    found, _ = listing(tmp_path)
    (skipped,) = [s for s in found["skipped"] if s["plugin"] == "same"]
    assert "first-dist" in skipped["reason"] and skipped["distribution"] == "second-dist"


def test_strict_mode_raises(tmp_path):
    install(tmp_path, "aa-broken", "0.1", "aa_broken", "aa_broken", "1 / 0")
    _, stderr = listing(tmp_path, FFZOO_STRICT_PLUGINS="1")
    assert "aa-broken" in stderr and "ZeroDivisionError" in stderr


def test_allow_and_block_lists(tmp_path):
    found, _ = listing(tmp_path, FFZOO_LOAD_PLUGINS="bp,dtg_ff")
    assert {p["plugin"] for p in found["plugins"]} == {"ffzoo", "bp", "dtg_ff"}
    found, _ = listing(tmp_path, FFZOO_BLOCK_PLUGINS="vanilla_ff")
    assert "vanilla_ff" in {s["plugin"] for s in found["skipped"]}


def test_listing_imports_no_torch():
    code = "import sys, ffzoo.plugins; ffzoo.plugins.main([]); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_validation_of_a_command_line_imports_no_torch():
    code = (
        "import sys, ffzoo.eval; status = ffzoo.eval.main(['--algo', 'dtgff']); "
        "sys.exit(0 if status == 2 and 'torch' not in sys.modules else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_use_is_undone():
    def register_goodness(register):
        register("tmp_goodness", lambda h: h.flatten(1).sum(1))

    with ffzoo.use(make_plugin(register_goodness=register_goodness), "tmp"):
        assert "tmp_goodness" in ZOO["goodness"]
    assert "tmp_goodness" not in ZOO["goodness"]


def test_a_hook_that_raises_leaves_nothing_behind():
    zoo = Zoo(autoload=False)

    def register_goodness(register):
        register("half", "a:b")
        raise RuntimeError("no more")

    with pytest.raises(PluginError, match="no more"):
        zoo.register(make_plugin(register_goodness=register_goodness), Provenance("half", "half-dist", "1"))
    assert "half" not in zoo["goodness"] and not zoo.plugins


@pytest.mark.parametrize("bad", ["Upper", "with space", "", "a-b"])
def test_bad_names_are_refused(bad):
    zoo = Zoo(autoload=False)
    with pytest.raises(PluginError, match="lower-case"):
        zoo.register(make_plugin(register_goodness=lambda register: register(bad, "a:b")), Provenance("p"))


@pytest.mark.parametrize("names", [("auto", ()), ("mine", ("auto",))])
def test_nothing_can_be_registered_as_the_normalization_auto(names):
    def register_normalizations(register):
        register(names[0], "a:b", aliases=names[1])

    with pytest.raises(PluginError, match="'auto' is a value of forward_norm"):
        Zoo(autoload=False).register(make_plugin(register_normalizations=register_normalizations), Provenance("p"))


@pytest.mark.parametrize(
    ("declare", "kind", "keyword", "message"),
    [
        ("register_goodness", "goodness", "sumary", "did you mean 'summary'"),
        ("register_algorithms", "algorithm", "defalts", "did you mean 'defaults'"),
        ("register_goodness", "goodness", "card", "choose from aliases, config, paper, summary"),
    ],
)
def test_unknown_keywords_are_refused(declare, kind, keyword, message):
    zoo = Zoo(autoload=False)
    hooks = {declare: lambda register: register("mine", "a:b", **{keyword: "a text"})}
    with pytest.raises(PluginError, match=f"registers {kind} 'mine' with the unknown keyword {keyword!r}: {message}"):
        zoo.register(make_plugin(**hooks), Provenance("p"))
    assert not zoo.plugins


def test_unknown_name_gives_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'dtg_ff'"):
        ZOO["algorithms"].get("dtgff")


def test_a_broken_lazy_target_names_plugin_and_cause():
    zoo = Zoo(autoload=False)
    zoo.register(make_plugin(register_goodness=lambda register: register("g", "os:nothing_there")), Provenance("p"))
    with pytest.raises(PluginError, match=r"goodness 'g' of plugin 'p'.*nothing_there"):
        zoo["goodness"].get("g").load()


def test_plugin_file(current, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(GOOD.format(name="from_file"))
    zoo = Zoo(autoload=False)
    zoo.load_file(path)
    assert zoo["goodness"].get("from_file").provenance.plugin == "mine"
    with pytest.raises(PluginError, match="does not exist"):
        zoo.load_file(tmp_path / "not_there.py")


RULE = """
from ffzoo.plugin import goodness
{more}
goodness({name!r}, lambda h: h.flatten(1).sum(1), summary="from a file")
"""


@pytest.fixture
def current(tmp_path, monkeypatch) -> Path:
    """A current folder that Python imports from first, as with ``python -m``; what comes from there is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def load_file(path) -> Zoo:
    zoo = Zoo(autoload=False)
    zoo.load_file(path)
    return zoo


@pytest.mark.parametrize("file", ["cubic.py", "cubic.v2.py", "cubic-2.py", "2cubic.py"])
def test_a_plugin_file_of_the_current_folder(current, file):
    Path(file).write_text(RULE.format(name="cubic", more=""))
    entry = load_file(file)["goodness"].get("cubic")
    assert entry.provenance.plugin == file.removesuffix(".py").replace(".", "_").replace("-", "_")
    assert sys.modules[entry.module].__file__ == str(current / file)


def test_a_data_set_brings_defaults_by_its_call(current):
    Path("mine.py").write_text(
        "from ffzoo.plugin import dataset\n"
        "dataset('mine', lambda root, download: None, summary='mine', defaults={'backbone': 'mlp'})\n"
    )
    assert load_file("mine.py")["datasets"].get("mine").tags["defaults"] == {"backbone": "mlp"}


def test_a_lazy_target_in_a_plugin_file_with_dots(current):
    Path("cubic.v2.py").write_text(
        "from ffzoo.plugin import goodness\n"
        "goodness('near', '.cubic_near_parts:near', summary='beside it')\n"
        "goodness('own', 'cubic_v2:own', summary='in it')\n"
        "def own(h): ...\n"
    )
    Path("cubic_near_parts.py").write_text("def near(h): ...\n")
    zoo = load_file("cubic.v2.py")
    assert [zoo["goodness"].get(name).load().__name__ for name in ("near", "own")] == ["near", "own"]


def test_a_plugin_file_imports_modules_beside_it(current):
    """From another folder than the current one; a neighbour may be a plugin file too, before or after."""
    folder = current / "rules"
    folder.mkdir()
    (folder / "near_cubic.py").write_text(RULE.format(name="near", more=""))
    (folder / "cubic.py").write_text(RULE.format(name="cubic", more="import near_cubic"))
    (folder / "json.py").write_text("raise RuntimeError('it stands for the json of Python')")
    (folder / "later.py").write_text(RULE.format(name="later", more="import json"))
    zoo = load_file("rules/cubic.py")
    zoo.load_file("rules/near_cubic.py")
    zoo.load_file("rules/later.py")
    assert zoo["goodness"].names() == ["cubic", "later", "near"]


@pytest.mark.parametrize(
    ("file", "cause"),
    [
        ("statistics.py", "Python's own module 'statistics'"),
        ("safetensors.py", r"the module 'safetensors' \(.*__init__.py\)"),
        ("pytest.py", r"the module 'pytest' \(.*__init__.py\)"),
        ("ffzoo.py", r"the module 'ffzoo' \(.*__init__.py\)"),
    ],
)
def test_a_plugin_file_with_the_name_of_a_module(current, file, cause):
    Path(file).write_text(RULE.format(name="mine", more=""))
    modules = dict(sys.modules)
    with pytest.raises(PluginError, match=f"'{file}' has the name of {cause}, .* rename the file"):
        load_file(file)
    assert sys.modules == modules


def test_a_folder_with_the_name_of_a_plugin_file(current):
    (current / "cubic").mkdir()
    (current / "cubic" / "cubic.py").write_text(RULE.format(name="cubic", more=""))
    assert load_file("cubic/cubic.py")["goodness"].names() == ["cubic"]


def test_a_plugin_file_that_fails_can_be_mended(current):
    Path("mended.py").write_text("1 / 0")
    with pytest.raises(PluginError, match=r"'mended.py': ZeroDivisionError"):
        load_file("mended.py")
    Path("mended.py").write_text(RULE.format(name="Wrong", more=""))
    with pytest.raises(PluginError, match="lower-case"):
        load_file("mended.py")
    Path("mended.py").write_text(RULE.format(name="right", more=""))
    assert load_file("mended.py")["goodness"].names() == ["right"]


def test_a_plugin_file_ends_in_py(current):
    Path("mine.txt").write_text(RULE.format(name="mine", more=""))
    with pytest.raises(PluginError, match=r"'mine.txt' is not a Python file; expected a name that ends in .py"):
        load_file("mine.txt")


def test_skipping_warns_with_plugin_and_cause():
    zoo = Zoo(autoload=False)
    with pytest.warns(PluginWarning, match="plugin 'p'.*because"):
        zoo.skip(Provenance("p"), "because")
    assert "skipped plugins: p" in zoo["goodness"].hint


def test_every_kind_has_a_hook():
    from ffzoo.registry import hookspecs

    hooks = {name.removeprefix("register_") for name in dir(hookspecs) if name.startswith("register_")}
    assert hooks == set(KINDS)


def test_every_registered_thing_loads_and_has_a_summary():
    for kind in KINDS:
        for entry in ZOO[kind]:
            assert entry.load() is not None
            assert entry.summary, f"{entry} has no summary"
            config = entry.load_config()
            if config is not None:
                config()
