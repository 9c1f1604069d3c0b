"""TensorBoard loads the plugin's module when it starts: it must stay light and must not fail."""

import subprocess
import sys

from tensorboard import default

CODE = """
import sys
{before}
from activis_tb.plugin.plugin import ActivisPlugin
from tensorboard.plugins.base_plugin import TBContext
plugin = ActivisPlugin(TBContext(logdir="somewhere"))
apps = plugin.get_plugin_apps()
assert plugin.is_active() is False
print(*sorted(sys.modules))
{after}
"""


def run(before="", after=""):
    code = CODE.format(before=before, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_loading_the_plugin_loads_nothing_heavy():
    host = "tensorboard.backend.application, tensorboard.plugins.base_plugin, werkzeug.wrappers"
    bare = f"import {host}; before = set(sys.modules)"
    added = set(run(bare, "print('ADDED', *sorted(set(sys.modules) - before))").split("ADDED")[1].split())
    roots = {name.split(".")[0] for name in added}
    assert roots & {"tensorflow", "sklearn", "scipy", "openTSNE", "keras", "torch", "google_crc32c", "numpy"} == set()
    assert added & {"activis_tb.storage.activis_pb2", "activis_tb.plugin.routes", "activis_tb.graph"} == set()
    assert "activis_tb.plugin.plugin" in added


def test_a_missing_library_is_a_sentence_and_not_the_end_of_tensorboard():
    answer = """
from werkzeug.test import Client
response = Client(apps["/*"]).get("/data/plugin/activis/runs")
print("STATUS", response.status_code, response.text)
"""
    status = run("sys.modules['activis_tb.storage.activis_pb2'] = None", answer).split("STATUS")[1]
    assert status.startswith(" 503 activis-tb is not installed completely (")
    assert "Reinstall it where TensorBoard runs." in status


def test_opening_the_tab_loads_what_its_data_will_need():
    answer = """
import threading
from werkzeug.test import Client
Client(apps["/index.js"]).get("/data/plugin/activis/index.js")
for thread in threading.enumerate():
    if thread.name == "activis-load":
        thread.join()
print("STATUS", "activis_tb.plugin.routes" in sys.modules)
"""
    assert run("", answer).split("STATUS")[1].split() == ["True"]
    missing = "sys.modules['activis_tb.storage.activis_pb2'] = None"
    assert run(missing, answer).split("STATUS")[1].split() == ["False"]


def test_tensorboard_finds_the_plugin_by_its_entry_point():
    from activis_tb.plugin.plugin import ActivisPlugin

    assert ActivisPlugin in default.get_dynamic_plugins()


def test_the_tab_is_an_es_module_of_the_plugin():
    from tensorboard.plugins.base_plugin import TBContext

    from activis_tb.plugin.plugin import ActivisPlugin

    plugin = ActivisPlugin(TBContext())
    metadata = plugin.frontend_metadata()
    assert (metadata.es_module_path, metadata.tab_name) == ("/index.js", "ActiVis")
    assert metadata.es_module_path in plugin.get_plugin_apps()
