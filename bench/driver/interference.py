"""Did anybody else use the machine while something was measured?"""

import os
import resource
import time

LIMIT = 0.10  # of a core
TICKS = os.sysconf("SC_CLK_TCK")


def machine_seconds():
    """CPU seconds that all of the machine has used, and those that the hypervisor took away."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def own_seconds():
    """CPU seconds of the driver and of the children that it has waited for."""
    uses = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in uses)


class Watch:
    """with Watch() as watch: measure();  then watch.others is the share of a core that somebody else used."""

    def __enter__(self):
        self._began = time.monotonic(), machine_seconds(), own_seconds()
        return self

    def __exit__(self, *_):
        wall, machine, own = self._began
        # The kernel counts ticks, of which two may fall on the wrong side.
        used = (machine_seconds() - machine) - (own_seconds() - own) - 2 / TICKS
        self.others = max(0.0, used / max(time.monotonic() - wall, 1e-3))

    @property
    def disturbed(self):
        return self.others > LIMIT
