"""Runs the scenes of a test of the file guard: its functions named test_…, each in a folder of its own."""
import os
import sys
import tempfile
from pathlib import Path


def run_scenes(scope):
    """`scope` is globals() of the test. The names of scenes may be given as words; one that names none is refused."""
    if os.geteuid() != 0:
        print("skipped: root is needed for fanotify and loop devices")
        return 77
    scenes = {name: scene for name, scene in scope.items() if name.startswith("test_")}
    wanted = sys.argv[1:] or list(scenes)
    unknown = [name for name in wanted if name not in scenes]
    if unknown:
        print("no such scene:", *unknown, "\nthere are:", *scenes)
        return 2
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="hygie-scene-") as folder:
            Path(folder).chmod(0o755)  # users of Samba and of the NFS server pass through
            scenes[name](Path(folder))
        print("ok", name, flush=True)
    return 0
