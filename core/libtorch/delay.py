"""Builds what lets a program load libtorch at its first use instead of at its start.

`build` makes two files from the sources of the crate torch-sys: libtch.so, tch's C interface to
libtorch, and libtch_delayed.a, which programs are linked with in its place (see loader.c). Used by
./setup; needs the GNU tools on x86-64 Linux.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = [HERE / "loader.c", HERE / "stubs.S", Path(__file__)]
COMPILER = shlex.split(os.environ.get("CXX") or "c++")


class Failed(Exception):
    """What could not be built, in one sentence."""


def build(libtorch, version, root):
    """The folder of both files inside `libtorch`, filled if it is not there yet."""
    lock = (root / "Cargo.lock").read_text(encoding="utf-8")
    torch_sys = re.search(r'name = "torch-sys"\nversion = "([^"]+)"', lock).group(1)
    digest = hashlib.sha256(torch_sys.encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    folder = libtorch / f"interface-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        print("Compiling tch's interface to libtorch, once (about a minute) ...", flush=True)
        with tempfile.TemporaryDirectory(prefix="interface.part-", dir=str(libtorch)) as work:
            new = Path(work, "new")
            new.mkdir()
            compile_into(new, folder, libtorch, version, sources_of_torch_sys(root))
            try:
                new.rename(folder)
            except OSError:
                if not folder.is_dir():  # another ./setup may have been faster
                    raise
    return folder


def sources_of_torch_sys(root):
    command = ["cargo", "metadata", "--locked", "--format-version=1"]
    done = subprocess.run(command, cwd=str(root), stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Failed("cargo could not fetch the sources of torch-sys: see above.")
    packages = json.loads(done.stdout)["packages"]
    manifest = next(p["manifest_path"] for p in packages if p["name"] == "torch-sys")
    return Path(manifest).parent / "libtch"


def compile_into(new, folder, libtorch, version, sources):
    include = libtorch / "include"
    cpp = ["-std=c++17", "-O1", "-w", f"-I{include}", f"-I{include}/torch/csrc/api/include"]
    cpp += ["-D_GLIBCXX_USE_CXX11_ABI=1", "-DGLOG_USE_GLOG_EXPORT"]
    run_all(
        [*cpp, "-fPIC", "-c", sources / f"{name}.cpp", "-o", new / f"{name}.o"]
        for name in ["torch_api", "torch_api_generated"]
    )
    c = ["-x", "c", "-O1", "-fPIC", "-c", HERE / "loader.c"]
    run_all([[*c, "-DINSIDE_INTERFACE", "-o", new / "callbacks.o"]])
    objects = [new / f"{name}.o" for name in ["torch_api", "torch_api_generated", "callbacks"]]
    libraries = [f"-L{libtorch}/lib", "-ltorch_cpu", "-lc10", "-Wl,-z,defs", "-Wl,--strip-all"]
    run_all([["-shared", "-o", new / "libtch.so", *objects, *libraries]])
    (new / "stubs.S").write_text(stubs(functions_of(new / "libtch.so")), encoding="ascii")
    places = {"LIBTORCH": libtorch, "INTERFACE": folder, "VERSION": version}
    defines = [f"-DGYMNAST_{name}={json.dumps(str(place))}" for name, place in places.items()]
    run_all([[*c, *defines, "-o", new / "loader.o"], ["-c", new / "stubs.S", "-o", new / "stubs.o"]])
    archive = ["ar", "crs", new / "libtch_delayed.a", new / "loader.o", new / "stubs.o"]
    if subprocess.run(archive, check=False).returncode != 0:
        raise Failed("ar could not make libtch_delayed.a: see above.")
    for path in new.iterdir():
        if path.suffix not in (".so", ".a"):
            path.unlink()


def run_all(commands):
    """Runs the compiler with each list of arguments, all at once."""
    running = [subprocess.Popen([*COMPILER, *command]) for command in commands]
    if any([process.wait() != 0 for process in running]):
        raise Failed("The C++ compiler could not compile tch's interface to libtorch: see above.")


def functions_of(library):
    """The names of the functions that the library offers in C."""
    table = subprocess.run(["nm", "-D", "--defined-only", library], stdout=subprocess.PIPE, text=True)
    found = re.findall(r"^\S+ T ((?:at|get)\w+)$", table.stdout, re.MULTILINE)
    if len(found) < 1000:
        raise Failed(f"nm found {len(found)} functions in libtch.so, where thousands are.")
    return found


def stubs(functions):
    """One stub for each function, behind the code that they share."""
    calls = [f"    FUNCTION {number}, {name}" for number, name in enumerate(functions)]
    return "\n".join([(HERE / "stubs.S").read_text(encoding="ascii"), *calls, f"    END {len(functions)}\n"])
