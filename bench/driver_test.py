"""What the driver of the benchmarks promises; run by ./dev test budget."""

import contextlib
import io
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "driver"))

import arguments
import budget
import repeats
import rows
import svg
import targets
from catalogue import BENCHMARKS


class Quiet:
    """Stands for interference.Watch; says of each measurement in turn whether it was disturbed."""

    script = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.disturbed = Quiet.script.pop(0) if Quiet.script else False


class Repeats(unittest.TestCase):
    def setUp(self):
        self.original, repeats.Watch = repeats.Watch, Quiet
        Quiet.script = []

    def tearDown(self):
        repeats.Watch = self.original

    def measure(self, subject):
        self.order.append(subject)
        if subject == "absent":
            raise repeats.Unavailable("is not installed")
        return {"value": float(len(self.order)), "allocations": 1}

    def interleave(self, subjects, times):
        self.order = []
        return repeats.interleave(subjects, times, self.measure, repeats.Machine())

    def test_subjects_take_turns(self):
        self.interleave(["a", "b"], 3)
        self.assertEqual(self.order, ["a", "b"] * 3)

    def test_a_disturbed_repeat_is_made_again_and_dropped(self):
        Quiet.script = [False, True, False]
        series = self.interleave(["a"], 2)
        self.assertEqual(series["a"].values, [1.0, 3.0])
        self.assertEqual(series["a"].noisy, 0)

    def test_a_machine_that_is_never_quiet_lets_the_run_finish_marked_noisy(self):
        Quiet.script = [True] * 1000
        series = self.interleave(["a"], 10)
        self.assertEqual(len(series["a"].values), 10)
        self.assertEqual(series["a"].noisy, 10)
        self.assertLess(len(self.order), 20)

    def test_who_is_absent_is_asked_once_and_leaves_the_others_alone(self):
        series = self.interleave(["absent", "a"], 3)
        self.assertEqual(self.order.count("absent"), 1)
        self.assertEqual(series["absent"].missing, "is not installed")
        self.assertEqual(len(series["a"].values), 3)


class Rows(unittest.TestCase):
    def test_a_row_of_ours_has_a_ratio_to_every_other_subject(self):
        series = {"rondo": repeats.Series([2.0, 1.0, 3.0]), "raw": repeats.Series([1.0]),
                  "go": repeats.Series(missing="Go is not installed")}
        found, missing = rows.rows_of("await", "ns", series)
        ours, raw = (row.as_json() for row in found)
        self.assertEqual((ours["median"], ours["min"], ours["max"], ours["repeats"]), (2.0, 1.0, 3.0, 3))
        self.assertEqual(ours["ratio_to"], {"raw": 2.0})
        self.assertNotIn("ratio_to", raw)
        self.assertEqual(missing, {"go": "Go is not installed"})


class Arguments(unittest.TestCase):
    def test_nonsense_is_refused_in_one_line(self):
        for words in (["nosuch"], ["--wrong"], ["await", "yield"], ["--json"], ["await", "--json"], ["--quick"],
                      ["await", "--json", "/nowhere/at/all/x.json"], ["await", "--accept", "why"], ["budget", "--accept"]):
            with self.assertRaises(arguments.BadArguments) as refusal:
                arguments.parse(words, BENCHMARKS)
            self.assertNotIn("\n", str(refusal.exception), words)

    def test_the_names_that_are_promised_are_known(self):
        for name in ("echo echo-1000 pipelined bulk latency await yield spawn queue generator sleepers timers threadsafe "
                     "subprocess pass cancel compile idle-connections growth sim").split():
            self.assertEqual(arguments.parse([name], BENCHMARKS).names, [name])


class Budget(unittest.TestCase):
    def test_what_grows_beyond_its_tolerance_is_told_from_what_shrinks(self):
        self.assertEqual(budget.judge("instructions/await", 102.9, 100), "kept")
        self.assertEqual(budget.judge("instructions/await", 103.1, 100), "grew")
        self.assertEqual(budget.judge("instructions/await", 90, 100), "shrank")
        self.assertEqual(budget.judge("allocations/await", 0.01, 0), "grew")

    def test_growth_fails_and_names_how_much_and_why_it_was_set(self):
        stand_ins = (lambda: ({"allocations/echo (epoll)": 1.0}, []),
                     lambda: {"allocations/echo (epoll)": {"value": 0, "why": "nothing is allocated"}})
        originals = budget.current, budget.read
        budget.current, budget.read = stand_ins
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                self.assertFalse(budget.compare())
        finally:
            budget.current, budget.read = originals
        self.assertIn("GREW   allocations/echo (epoll): 1, the budget is 0, set because: nothing is allocated", said.getvalue())
        self.assertIn("0 passed, 1 failed", said.getvalue())


class Targets(unittest.TestCase):
    def test_a_ratio_and_a_figure_are_judged_and_what_was_not_measured_is_left_out(self):
        found = [rows.Row("echo", "rondo", "ns", 4200.0, 4100, 4300, 3, {"allocations": 0.0}),
                 rows.Row("echo", "raw-uring", "ns", 4000.0, 3900, 4100, 3),
                 rows.Row("yield", "rondo", "ns", 9.0, 9, 9, 3)]
        judged = {(case, target): reached for case, _, target, _, reached in targets.judged(found)}
        self.assertEqual(judged, {("echo", "≤ 1.05 × raw-uring"): "yes", ("echo", "≤ 0 allocations"): "yes",
                                  ("yield", "≤ 5 ns"): "no"})


class Plots(unittest.TestCase):
    def test_they_are_well_formed(self):
        from xml.etree import ElementTree

        for plot in (svg.bars("a < b", "ns", [("rondo", "ours", 0.0, 0.0, 0.0), ("x", "peer", 5.0, 4.0, 6.0)], str),
                     svg.bars("all the same", "ns", [("rondo", "ours", 5.0, 5.0, 5.0)], str),
                     svg.lines("growth", "ns", "tasks", {"rondo": [(1000, 5.0), (10000, 6.0)]}, str)):
            ElementTree.fromstring(plot)


if __name__ == "__main__":
    unittest.main()
