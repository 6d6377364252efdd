#!/usr/bin/env python3
"""Drives the benchmarks: our side of each case and PyTorch's, each a process of its own, take turns in one run.

Every process makes its case ready, takes a first step and waits. Then rounds go over all of them: a round gives each
the same time. A process's figure is the median of its rounds; +- is half the distance from the fastest round to the
slowest, in percent of the median. Memory is the peak of the steps less what was there before the first one, without
pages of files. Standard library only; PyTorch's side needs the Python that runs this file to have torch.
"""
import argparse
import fnmatch
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 900  # seconds for an answer; compiling takes its time

# Settings of a test environment that slow OpenBLAS down. Those of the allocator are unset, too: they belong to one peer.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

# With these the C library's allocator keeps what it once had, which spares the kernel's page faults.
SPARED = {"MALLOC_MMAP_THRESHOLD_": "17179869184", "MALLOC_TRIM_THRESHOLD_": "17179869184",
          "MALLOC_TOP_PAD_": "1073741824"}

# Cases of images, which PyTorch can also have with their channels last.
IMAGES = ("conv-", "batch_norm2d", "max_pool2d", "d3", "d4")


PEERS = ("eager", "spared", "channels", "compile", "openblas")


# ---- processes ------------------------------------------------------------------------------------------------------

class Failed(Exception):
    pass


class Worker:
    """One process that measures one case."""

    def __init__(self, command, threads, settings=None):
        environment = {k: v for k, v in os.environ.items() if k not in UNSET and not k.startswith("MALLOC_")}
        environment.update(settings or {}, OMP_NUM_THREADS=str(threads), TORCHINDUCTOR_COMPILE_THREADS="1")
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors)
        self.rounds = []
        try:
            self.ready = self.answer()
        except Failed:
            self.close()
            raise

    def answer(self):
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        try:
            said = json.loads(line)
        except ValueError:
            self.errors.seek(0)
            last = self.errors.read().decode(errors="replace").strip().split("\n")[-1]
            raise Failed(last or "the process ended") from None
        if "error" in said:
            raise Failed(said["error"])
        return said

    def measure(self, seconds):
        try:
            self.process.stdin.write("%g\n" % seconds)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says why
        self.rounds.append(self.answer())

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def ms(self):
        return statistics.median(r["ms"] for r in self.rounds)

    def spread(self):
        times = [r["ms"] for r in self.rounds]
        return 50 * (max(times) - min(times)) / self.ms()

    def mb(self):
        return max(r["mb"] for r in self.rounds)


def peers(options, case):
    """Who takes part in this case: name, command, settings. Ours is the first."""
    threads = str(options.threads)
    torch = [sys.executable, os.path.join(HERE, "peers_torch.py"), case, threads]
    yield "ours", [os.path.join(options.programs, "bench"), case, threads], None
    if options.torch:
        yield "eager", torch, None
        yield "spared", torch, SPARED
        if case.startswith(IMAGES):
            yield "channels", torch + ["--channels-last"], SPARED
        if options.compile and not case.startswith(("mm-", "oh-")):
            yield "compile", torch + ["--compile"], None
    if options.openblas and case.startswith("mm-"):
        yield "openblas", [os.path.join(options.programs, "peer_openblas"), case, threads], None


def open_workers(options, case):
    workers = {}
    for name, command, settings in peers(options, case):
        try:
            workers[name] = Worker(command, options.threads, settings)
        except Failed as problem:
            note("%s: %s: %s" % (case, name, problem))
    return workers


def take_turns(options, case, workers):
    for _ in range(options.rounds):
        for name in list(workers):
            try:
                workers[name].measure(options.seconds / options.rounds)
            except Failed as problem:
                note("%s: %s: %s" % (case, name, problem))
                workers.pop(name).close()


def run_case(options, machine, case):
    workers = open_workers(options, case)
    try:
        take_turns(options, case, workers)
        return result(options, machine, case, workers)
    finally:
        for worker in workers.values():
            worker.close()


# ---- results --------------------------------------------------------------------------------------------------------

def result(options, machine, case, workers):
    """What the JSON holds of a case. Times are of one op where the case is a chain; absent ones are None."""
    def of(name, what):
        return round(what(workers[name]), 7) if name in workers else None

    row = {"case": case, "threads": options.threads}
    for name in ("ours", *PEERS):
        row[name + "_ms"] = of(name, Worker.ms)
        row[name + "_spread"] = of(name, Worker.spread)
    for name in PEERS:
        row["ratio" if name == "eager" else name + "_ratio"] = quotient(row[name + "_ms"], row["ours_ms"])
    for name in ("ours", "eager", "spared"):
        row[name + "_mb"] = of(name, Worker.mb)
    row["memory_ratio"] = quotient(row["eager_mb"], row["ours_mb"])
    row["rate"], row["unit"], row["share"] = rate(machine, workers.get("ours"))
    return row


def quotient(theirs, ours):
    return round(theirs / ours, 4) if theirs is not None and ours else None


def rate(machine, ours):
    """Ours in GF/s or GB/s, and as a share of the machine's peak."""
    if ours is None or not ours.ready["flops"] + ours.ready["bytes"]:
        return None, None, None
    counts_flops = ours.ready["flops"] > 0
    value = ours.ready["flops" if counts_flops else "bytes"] / ours.ms() / 1e6
    peak = machine["gflops" if counts_flops else "copy_gbs"]
    return round(value, 3), "GF/s" if counts_flops else "GB/s", round(value / peak, 4)


# ---- printing -------------------------------------------------------------------------------------------------------

def note(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def time_text(ms, spread=None):
    if ms is None:
        return ""
    for unit, scale in (("ms", 1), ("us", 1e3), ("ns", 1e6)):
        if ms * scale >= 1 or unit == "ns":
            break
    digits = max(0, 2 - int(math.floor(math.log10(ms * scale)))) if ms else 0
    text = "%.*f %s" % (digits, ms * scale, unit)
    if spread is None:
        return text
    return "%s ±%2.0f%%" % (text, spread) if spread < 99.5 else text + " >99%"


def number_text(value, form="%.2f"):
    return "" if value is None else form % value


def columns(options):
    """Title, width and text of each column that this run can fill."""
    def timed(name, title):
        ratio = "ratio" if name == "eager" else name + "_ratio"
        return [(title, 14, lambda r: time_text(r[name + "_ms"], r[name + "_spread"])),
                ("ratio", 6, lambda r: number_text(r[ratio]))]

    yield "case", 27, lambda r: r["case"]
    yield timed("ours", "ours")[0]
    if options.torch:
        yield from timed("eager", "eager")
        yield from timed("spared", "spared faults")
        if options.images:
            yield from timed("channels", "channels last")
        if options.compile:
            yield from timed("compile", "compile")
    if options.openblas:
        yield from timed("openblas", "OpenBLAS")
    yield "rate", 10, lambda r: r["unit"] and number_text(r["rate"], "%.1f ") + r["unit"] or ""
    yield "peak", 5, lambda r: r["share"] and "%.0f %%" % (100 * r["share"]) or ""
    yield "ours MB", 8, lambda r: number_text(r["ours_mb"], "%.1f")
    if options.torch:
        yield "eager MB", 8, lambda r: number_text(r["eager_mb"], "%.1f")


def print_row(options, cells):
    widths = [width for _, width, _ in columns(options)]
    padded = [text.ljust(width) if i == 0 else text.rjust(width) for i, (text, width) in enumerate(zip(cells, widths))]
    print("| " + " | ".join(padded) + " |" if options.markdown else "  ".join(padded), flush=True)


def print_head(options, machine):
    lines = ["%s, %d of %d processors; Retrograd %s, BLIS %s with its %s kernels" % (
        machine["processor"], options.threads, os.cpu_count(), machine["version"], machine["blis"],
        machine["blis_kernels"])]
    if options.torch:
        lines.append("PyTorch %s (%s)" % (options.torch["version"], options.torch["capability"]))
    lines.append("peaks: %.0f GF/s of multiply-adds, %.1f GB/s of copying; on one thread %.0f and %.1f" % (
        machine["gflops"], machine["copy_gbs"], machine["gflops_1"], machine["copy_gbs_1"]))
    lines.append("%d rounds of %g s for each side of a case" % (options.rounds, options.seconds / options.rounds))
    for line in lines:
        print(("- " if options.markdown else "") + line)
    print()
    titles = [title for title, _, _ in columns(options)]
    print_row(options, titles)
    if options.markdown:
        print_row(options, ["---"] + ["--:"] * (len(titles) - 1))


def print_means(rows):
    """Geometric means of the matrix products."""
    products = [r for r in rows if r["case"].startswith("mm-")]
    said = []
    for title, key in (("eager", "ratio"), ("OpenBLAS", "openblas_ratio")):
        ratios = [r[key] for r in products if r[key]]
        if len(ratios) > 1:
            said.append("%.2f against %s" % (statistics.geometric_mean(ratios), title))
    if said:
        print("\nmatrix products, geometric mean of the ratios: " + ", ".join(said))


# ---- the run --------------------------------------------------------------------------------------------------------

def run_json(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE)
        return json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def find_torch():
    return run_json([sys.executable, "-c", "import json, torch; print(json.dumps({'version': torch.__version__, "
                     "'capability': torch.backends.cpu.get_cpu_capability()}))"])


def find_openblas(options):
    done = subprocess.run([os.path.join(options.programs, "peer_openblas"), "mm-16", "1"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE)
    return done.returncode == 0


def known_cases(options):
    lines = subprocess.run([os.path.join(options.programs, "bench"), "list"], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    return dict(line.split("\t") for line in lines)


def choose(known, patterns):
    chosen = []
    for pattern in patterns:
        found = fnmatch.filter(known, pattern)
        if not found and pattern.startswith("mm-"):
            found = [pattern]  # a product of any size
        if not found:
            sys.exit("bench: no case is called '%s'; --list names them" % pattern)
        chosen += [case for case in found if case not in chosen]
    return chosen


def write_json(path, rows):
    with open(path, "w") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")


def read_options():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Measure Retrograd beside PyTorch, and matrix products beside OpenBLAS where "
        "libopenblas.so.0 is installed. Ratios are their time over ours: more than 1 means that ours is faster.",
        epilog="The Python named by RETROGRAD_PYTHON, else python3, runs this; PyTorch takes part where it has torch.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a case or a pattern such as 'mm-*'; all by default; "
                        "products also as mm-NN-ROWSxINNERxCOLUMNS (NN, TN, NT) of any size")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="of both sides; one a processor by default")
    parser.add_argument("--seconds", type=float, default=2, metavar="S", help="for each side of a case (2)")
    parser.add_argument("--rounds", type=int, default=5, metavar="R", help="that the seconds are cut into (5)")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave torch.compile out")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)  # where ./dev has built them
    options = parser.parse_args()
    if options.threads < 1 or options.rounds < 1 or not options.seconds > 0:
        parser.error("--threads, --rounds and --seconds are more than 0")
    return options


def main():
    options = read_options()
    known = known_cases(options)
    if options.list:
        for case, about in known.items():
            print("%-28s %s" % (case, about))
        return
    cases = choose(known, options.cases or ["*"])
    options.images = any(case.startswith(IMAGES) for case in cases)
    options.torch = find_torch()
    options.openblas = find_openblas(options)
    if not options.torch:
        note("%s has no torch: ours alone" % sys.executable)
    if os.getloadavg()[0] > 0.5:
        note("others are busy (load %.1f): the figures will be too high and far apart" % os.getloadavg()[0])
    machine = run_json([os.path.join(options.programs, "bench"), "machine", str(options.threads)])
    if not machine:
        sys.exit("bench: the machine's peaks could not be measured")
    print_head(options, machine)
    rows = []
    for case in cases:
        rows.append(run_case(options, machine, case))
        print_row(options, [text(rows[-1]) for _, _, text in columns(options)])
        if options.json:
            write_json(options.json, rows)  # a run that is stopped keeps what it has
    print_means(rows)
    if any(row["ours_ms"] is None for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read the table has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
