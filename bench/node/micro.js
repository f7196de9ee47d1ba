// The cases of bench/ours that Node has: micro.js CASE [SECONDS]. Prints one line of JSON as they do.
'use strict';

class Meter {
  constructor(n) {
    this.n = n;
    this.cpu = 0;
  }
  start() { this.began = process.cpuUsage(); }
  stop() {
    const used = process.cpuUsage(this.began);
    this.cpu += (used.user + used.system) * 1000;
  }
}

async function leaf(x) { return x + 1; }
async function nested(depth) { return depth === 0 ? 0 : 1 + await nested(depth - 1); }

async function child(m) {
  let x = 0;
  m.start();
  for (let i = 0; i < m.n; i++) x = await leaf(x);
  m.stop();
}

async function tenLevels(m) {
  m.start();
  for (let i = 0; i < m.n; i += 10) await nested(9);
  m.stop();
}

async function generator(m) {
  function* count() { for (let i = 0; i < m.n; i++) yield i; }
  let total = 0;
  m.start();
  for (const number of count()) total += number;
  m.stop();
}

function pass(m) {
  return new Promise(resolve => {
    let left = m.n;
    const again = () => { if (--left) setImmediate(again); else { m.stop(); resolve(); } };
    m.start();
    setImmediate(again);
  });
}

const cases = {'await': child, 'await/ten-levels': tenLevels, 'generator': generator, 'pass': pass};

async function main(name, seconds) {
  const run = cases[name];
  let n = 64;
  for (;;) {
    const trial = new Meter(n);
    await run(trial);
    if (trial.cpu > seconds * 1e9 / 20) {
      n = Math.ceil(n * seconds * 1e9 / trial.cpu);
      break;
    }
    n *= 8;
  }
  const m = new Meter(n);
  await run(m);
  console.log(JSON.stringify({value: m.cpu / m.n, operations: m.n}));
}

main(process.argv[2], Number(process.argv[3] || 0.2));
