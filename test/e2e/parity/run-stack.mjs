// Runs one probe stack with a Compose command and answers what was seen, as plain data that two engines can be compared by.
import {readFileSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {parse} from 'yaml';

/** A stack's own instructions stand in its `x-parity` member. */
export function readPlan(file) {
  const {services, 'x-parity': plan = {}} = parse(readFileSync(file, 'utf8'), {merge: true});
  return {
    services: Object.keys(services),
    steps: [['up', '-d']],
    execs: {},
    containers: [],
    ps: false,
    images: {},
    ...plan,
  };
}

/** `engine.compose(words)` → {code, stdout, stderr}; `engine.inspect(container)` → what inspect answers. */
export async function runStack(file, engine) {
  const plan = readPlan(file);
  const compose = (...words) => engine.compose(['-f', file, ...words]);
  const answer = {};
  try {
    if (plan.each) answer.starts = await startEach(plan, compose);
    else {
      answer.steps = {};
      for (const words of plan.steps) answer.steps[words.join(' ')] = await step(compose, words, plan);
    }
    const containers = await settle(compose, plan);
    answer.services = {};
    for (const service of plan.services) answer.services[service] = await describeService(compose, service, containers);
    if (Object.keys(plan.execs).length > 0) answer.execs = await runExecs(compose, plan.execs);
    if (plan.ps) answer.ps = await listContainers(compose);
    if (plan.inspect) answer.inspect = await inspectAll(engine, plan.inspect);
    for (const words of plan.after ?? []) {
      answer.steps[words.join(' ')] = await step(compose, words, plan);
      answer[`after ${words.join(' ')}`] = states(await listContainers(compose));
    }
    return answer;
  } finally {
    await compose('down', '-v', '-t', '0', '--remove-orphans');
  }
}

/** How a command ended. Words of errors are each tool's own: only that there is an error is compared. */
async function step(compose, words) {
  const {code} = await compose(...words);
  return code;
}

async function startEach({services}, compose) {
  const starts = {};
  for (const service of services) starts[service] = (await compose('up', '-d', '--no-deps', service)).code;
  return starts;
}

async function listContainers(compose) {
  const {stdout} = await compose('ps', '-a', '--format', 'json');
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

/** Waits until what is to end has ended. */
async function settle(compose, {running = []}) {
  for (let round = 0; ; round += 1) {
    const containers = await listContainers(compose);
    const moving = containers.filter(
      ({Service, State}) => !running.includes(Service) && State !== 'exited' && State !== 'created',
    );
    if (moving.length === 0) return containers;
    if (round === 300)
      throw new Error(`still not ended: ${moving.map(({Name, State}) => `${Name} ${State}`).join(', ')}`);
    await delay(100);
  }
}

function states(containers) {
  return Object.fromEntries(containers.map(({Name, State, ExitCode}) => [Name, `${State} ${ExitCode}`]));
}

async function describeService(compose, service, containers) {
  const own = containers.filter(({Service}) => Service === service);
  const {stdout} = await compose('logs', '--no-log-prefix', '--no-color', service);
  return {state: own.map(({State, ExitCode}) => `${State} ${ExitCode}`).join(', '), ...toFacts(stdout)};
}

/** Output is in sections that begin with `## name`; what stands before the first is `output`. */
function toFacts(text) {
  const facts = {};
  let current = 'output';
  for (const line of text.replaceAll('\r', '').split('\n')) {
    if (line.startsWith('## ')) {
      current = line.slice(3);
      facts[current] = [];
    } else if (line !== '') {
      facts[current] ??= [];
      facts[current].push(normalise(current, line));
    }
  }
  return facts;
}

async function runExecs(compose, execs) {
  const answers = {};
  for (const [name, words] of Object.entries(execs)) {
    const {code, stdout} = await compose('exec', ...words);
    answers[name] = {code, ...toFacts(stdout)};
  }
  return answers;
}

async function inspectAll(engine, names) {
  const answers = {};
  for (const name of names) answers[name] = shapeOf(await engine.inspect(name));
  return answers;
}

/** Names of members and types of values, not the values: those are compared where they mean something. */
function shapeOf(value, path = '') {
  if (value === null) return [`${path} null`];
  if (Array.isArray(value)) return [`${path} list`];
  if (typeof value !== 'object') return [`${path} ${typeof value}`];
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, member]) => shapeOf(member, path === '' ? key : `${path}.${key}`));
}

/** Takes out what is different at every run, and what is the machine's. */
function normalise(section, line) {
  const text = line
    .replace(/\b[0-9a-f]{64}\b/g, '<id>')
    .replace(/\b[0-9a-f]{12}\b/g, '<short id>')
    .replace(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, (mac) => (/^(?:00|ff)/.test(mac) ? mac : '<mac>'));
  return section === 'mounts' ? normaliseMount(text) : text;
}

/** Where a tree lies on the machine, and what its file system is, are the machine's. */
function normaliseMount(line) {
  const [target, root, options, tags, type, source, superOptions] = line.split(' ');
  if (type === 'overlay') {
    const names = superOptions
      .replace(/=[^,]*/g, '')
      .replace(/,?(?:xino|uuid|metacopy|redirect_dir|index|nfs_export)\b/g, '');
    return [target, root, options, tags, type, names].join(' ');
  }
  if (!['ext4', 'xfs', 'btrfs'].includes(type)) return line;
  return [target, root.replace(/^.*\//, '…/'), options, tags, 'machine'].join(' ');
}
