"""The cases of bench/ours in asyncio: micro.py asyncio|uvloop CASE [SECONDS]. Prints one line of JSON as they do."""

import asyncio
import json
import os
import random
import sys
import threading
import time


class Meter:
    """How many operations to make, and the switch between preparing and measuring."""

    def __init__(self, n):
        self.n = n
        self.cpu = 0
        self.value = None

    def start(self):
        self.began = time.process_time_ns()

    def stop(self):
        self.cpu += time.process_time_ns() - self.began


async def leaf(x):
    return x + 1


async def nested(depth):
    return 0 if depth == 0 else 1 + await nested(depth - 1)


async def child(m):
    x = 0
    m.start()
    for _ in range(m.n):
        x = await leaf(x)
    m.stop()


async def ten_levels(m):
    m.start()
    for _ in range(m.n // 10):
        await nested(9)
    m.stop()


async def yield_often(times):
    for _ in range(times):
        await asyncio.sleep(0)


async def yield_alone(m):
    m.start()
    await yield_often(m.n)
    m.stop()


async def yield_thousand(m):
    m.n += 1000 - m.n % 1000
    tasks = [asyncio.create_task(yield_often(m.n // 1000)) for _ in range(1000)]
    m.start()
    for task in tasks:
        await task
    m.stop()


async def spawn_batches(m):
    m.n += 1000 - m.n % 1000
    m.start()
    for _ in range(m.n // 1000):
        tasks = [asyncio.create_task(leaf(k)) for k in range(1000)]
        for task in tasks:
            await task
    m.stop()


async def spawn_one_by_one(m):
    m.start()
    for _ in range(m.n):
        await asyncio.create_task(leaf(1))
    m.stop()


async def queue_round_trip(m):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def echo():
        for _ in range(m.n):
            await back.put(await there.get())

    echoing = asyncio.create_task(echo())
    m.start()
    for _ in range(m.n):
        await there.put(1)
        await back.get()
    m.stop()
    await echoing



async def generator(m):
    def count():
        for i in range(m.n):
            yield i

    total = 0
    m.start()
    for number in count():
        total += number
    m.stop()


async def one_pass(m):
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    left = m.n

    def again():
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(again)
        else:
            done.set_result(None)

    loop.call_soon(again)
    m.start()
    await done
    m.stop()


async def waits_at_depth(depth):
    if depth == 1:
        await asyncio.Event().wait()
        return 0
    return 1 + await waits_at_depth(depth - 1)


def cancel_at_depth(depth):
    async def body(m):
        m.n += 100 - m.n % 100
        for _ in range(m.n // 100):
            tasks = [asyncio.create_task(waits_at_depth(depth)) for _ in range(100)]
            await asyncio.sleep(0)
            m.start()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            m.stop()

    return body


def spread(n):
    source = random.Random(1)
    return [source.random() for _ in range(n)]


async def timers_arm(m):
    loop, when = asyncio.get_running_loop(), spread(m.n)
    m.start()
    handles = [loop.call_later(600 + w, id, None) for w in when]
    m.stop()
    for handle in handles:
        handle.cancel()


async def timers_fire(m):
    loop, when = asyncio.get_running_loop(), spread(m.n)
    done, left = loop.create_future(), m.n

    def fired():
        nonlocal left
        left -= 1
        if left == 0:
            done.set_result(None)

    base = loop.time() + 5
    for w in when:
        loop.call_at(base + w, fired)
    m.start()
    await done
    m.stop()


async def timers_cancel(m):
    loop = asyncio.get_running_loop()
    handles = [loop.call_later(600 + w, id, None) for w in spread(m.n)]
    random.Random(2).shuffle(handles)
    m.start()
    for handle in handles:
        handle.cancel()
    await asyncio.sleep(0)
    m.stop()


async def timers_rearm(m):
    connections = 10_000
    loop = asyncio.get_running_loop()
    handles = [loop.call_later(600, id, None) for _ in range(connections)]
    m.start()
    for i in range(m.n):
        k = (i * 7919) % connections
        handles[k].cancel()
        handles[k] = loop.call_later(600, id, None)
        if i % 1000 == 0:
            await asyncio.sleep(0)
    m.stop()


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


async def sleepers(m):
    before = resident_bytes()
    tasks = [asyncio.create_task(asyncio.sleep(600)) for _ in range(m.n)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    m.value = (resident_bytes() - before) / m.n
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def threadsafe(m):
    loop, arrived = asyncio.get_running_loop(), 0

    def arrive():
        nonlocal arrived
        arrived += 1

    def call():
        began = time.thread_time_ns()
        for _ in range(m.n):
            loop.call_soon_threadsafe(arrive)
        m.value = (time.thread_time_ns() - began) / m.n

    caller = threading.Thread(target=call)
    m.start()
    caller.start()
    while arrived < m.n:
        await asyncio.sleep(0)
    m.stop()
    caller.join()


async def threadsafe_asleep(m):
    here, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    there = asyncio.new_event_loop()

    def run_there():
        os.sched_setaffinity(0, {max(cores)})  # of this thread
        there.run_forever()

    cores = os.sched_getaffinity(0)
    other = threading.Thread(target=run_there)
    other.start()
    os.sched_setaffinity(0, {min(cores)})
    left = m.n

    def bounce():
        nonlocal left
        left -= 1
        if left:
            there.call_soon_threadsafe(lambda: here.call_soon_threadsafe(bounce))
        else:
            done.set_result(None)

    began = time.perf_counter_ns()
    bounce()
    await done
    m.value = (time.perf_counter_ns() - began) / 1000 / m.n
    there.call_soon_threadsafe(there.stop)
    other.join()


async def subprocess(m):
    program = os.environ["RONDO_BENCH_CHILD"]
    began = time.perf_counter_ns()
    for _ in range(m.n):
        child = await asyncio.create_subprocess_exec(program, stdin=-1, stdout=-1, stderr=-1)
        await child.communicate()
    m.value = (time.perf_counter_ns() - began) / 1000 / m.n


# The body of each case, and a fixed number of operations where it has one.
CASES = {
    "await": (child, 0),
    "await/ten-levels": (ten_levels, 0),
    "yield": (yield_thousand, 0),
    "yield/alone": (yield_alone, 0),
    "spawn": (spawn_batches, 0),
    "spawn/one-by-one": (spawn_one_by_one, 0),
    "queue": (queue_round_trip, 0),
    "generator": (generator, 0),
    "pass": (one_pass, 0),
    "cancel": (cancel_at_depth(10), 0),
    "cancel/one-frame": (cancel_at_depth(1), 0),
    "timers/arm": (timers_arm, 200_000),
    "timers/fire": (timers_fire, 200_000),
    "timers/cancel": (timers_cancel, 200_000),
    "timers/rearm": (timers_rearm, 200_000),
    "sleepers": (sleepers, 100_000),
    "threadsafe": (threadsafe, 20_000),
    "threadsafe/asleep": (threadsafe_asleep, 2_000),
    "subprocess": (subprocess, 100),
}


def run(body, n):
    m = Meter(n)
    asyncio.run(body(m))
    return m


def main():
    kind, name = sys.argv[1:3]
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 0.2
    if kind == "uvloop":
        import uvloop

        uvloop.install()
    body, n = CASES[name]
    if not n:
        n = 64
        while (trial := run(body, n)).cpu < seconds * 1e9 / 20:
            n *= 8
        n = max(1, int(n * seconds * 1e9 / trial.cpu))
    m = run(body, n)
    print(json.dumps({"value": m.value if m.value is not None else m.cpu / m.n, "operations": m.n}))


main()
