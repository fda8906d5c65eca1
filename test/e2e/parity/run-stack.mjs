// Runs one probe stack with a Compose command and answers what was seen, as plain data that two engines can be compared by.
import {readFileSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {parse} from 'yaml';

/** A stack's own instructions stand in its `x-parity` member. */
export function readPlan(file) {
  const {services, 'x-parity': plan = {}} = parse(readFileSync(file, 'utf8'), {merge: true, maxAliasCount: -1});
  return {
    services: Object.keys(services),
    steps: [['up', '-d']],
    execs: {},
    ps: {},
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
    answer.steps = {};
    if (plan.each) answer.starts = await startEach(plan.services, compose);
    else if (plan.refused) {
      const others = plan.services.filter((service) => !plan.refused.includes(service));
      answer.steps['up -d of the others'] = await step(compose, ['up', '-d', '--no-deps', ...others]);
      answer.starts = await startEach(plan.refused, compose);
    } else {
      for (const words of plan.steps) answer.steps[words.join(' ')] = await step(compose, words);
    }
    const containers = await settle(compose, plan);
    answer.services = {};
    for (const service of plan.services) {
      const state = service in plan.ps ? {} : {state: stateOf(service, containers)};
      answer.services[service] = {...state, ...(await describeOutput(compose, service))};
    }
    if (Object.keys(plan.execs).length > 0) answer.execs = await runExecs(compose, plan.execs);
    if (Object.keys(plan.ps).length > 0) answer.ps = (await reach(compose, plan.ps)).map(psEntry);
    if (plan.inspect) answer.inspect = await inspectAll(engine, plan.inspect);
    for (const words of plan.after ?? []) {
      answer.steps[words.join(' ')] = await step(compose, words);
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

async function startEach(services, compose) {
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

/** One listing in which every service is in the state, or of the health, that is wanted of it. */
async function reach(compose, wanted) {
  for (let round = 0; ; round += 1) {
    const containers = await listContainers(compose);
    const missing = Object.entries(wanted).filter(
      ([service, state]) =>
        !containers.some(({Service, State, Health}) => Service === service && (State === state || Health === state)),
    );
    if (missing.length === 0) return containers;
    if (round === 300) throw new Error(`not reached: ${missing.map((pair) => pair.join(' ')).join(', ')}`);
    await delay(100);
  }
}

/** A container as `ps --format json` tells of it, without times and ids. */
function psEntry({ID: _id, CreatedAt: _created, RunningFor: _running, Mounts: _mounts, ...rest}) {
  const labels = Object.fromEntries(rest.Labels.split(',').map((label) => label.split(/=(.*)/s).slice(0, 2)));
  const status = rest.Status.replace(/(?:Less than a|About a|\d+) (?:second|minute)s?/, 'a while');
  return {...rest, Status: status, Labels: Object.keys(labels).sort()};
}

function states(containers) {
  return Object.fromEntries(containers.map(({Name, State, ExitCode}) => [Name, `${State} ${ExitCode}`]));
}

function stateOf(service, containers) {
  const own = containers.filter(({Service}) => Service === service);
  return own.map(({State, ExitCode}) => `${State} ${ExitCode}`).join(', ');
}

async function describeOutput(compose, service) {
  const {stdout} = await compose('logs', '--no-log-prefix', '--no-color', service);
  return toFacts(stdout);
}

/** Output is in sections that begin with `## name`; what stands before the first is `output`. */
export function toFacts(text) {
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
    // As in the rest of the file `$$` is a dollar sign.
    const {code, stdout} = await compose('exec', ...words.map((word) => word.replaceAll('$$', '$')));
    answers[name] = {code, ...toFacts(stdout)};
  }
  return answers;
}

async function inspectAll(engine, names) {
  const answers = {};
  for (const name of names) {
    const inspected = await engine.inspect(name);
    answers[name] = {shape: shapeOf(inspected), values: told.map((path) => `${path} ${valueAt(inspected, path)}`)};
  }
  return answers;
}

/** What of inspect says something about the container rather than about the machine. */
const told = [
  ...['Name', 'Path', 'Args', 'RestartCount', 'Platform', 'ExecIDs', 'Mounts'],
  ...['Status', 'Running', 'Paused', 'Restarting', 'OOMKilled', 'Dead', 'ExitCode', 'Error', 'Health.Status'].map(
    (name) => `State.${name}`,
  ),
  ...[
    'Hostname',
    'Domainname',
    'User',
    'Tty',
    'OpenStdin',
    'StdinOnce',
    'AttachStdin',
    'AttachStdout',
    'AttachStderr',
  ].map((name) => `Config.${name}`),
  ...[
    'Env',
    'Cmd',
    'Entrypoint',
    'Image',
    'WorkingDir',
    'ExposedPorts',
    'StopSignal',
    'StopTimeout',
    'Healthcheck',
  ].map((name) => `Config.${name}`),
  ...['NetworkMode', 'PortBindings', 'RestartPolicy', 'AutoRemove', 'LogConfig', 'CapAdd', 'CapDrop', 'GroupAdd'].map(
    (name) => `HostConfig.${name}`,
  ),
  ...[
    'IpcMode',
    'PidMode',
    'UTSMode',
    'UsernsMode',
    'CgroupnsMode',
    'Privileged',
    'PublishAllPorts',
    'ReadonlyRootfs',
  ].map((name) => `HostConfig.${name}`),
  ...[
    'SecurityOpt',
    'ShmSize',
    'Init',
    'Memory',
    'MemorySwap',
    'MemoryReservation',
    'NanoCpus',
    'PidsLimit',
    'OomScoreAdj',
  ].map((name) => `HostConfig.${name}`),
  ...['MaskedPaths', 'ReadonlyPaths', 'Tmpfs', 'Sysctls', 'Runtime'].map((name) => `HostConfig.${name}`),
  ...['Ports', 'Networks'].map((name) => `NetworkSettings.${name}`),
];

/** Where a mount comes from is the machine's, but for its last name. */
const sourcePath = /"Source":"[^"]*\/_?([^"/]+)"/g;

/** As JSON with sorted members; what is empty in any way is empty, since clients in Go and others differ in it. */
function valueAt(inspected, path) {
  const value = path.split('.').reduce((object, key) => object?.[key], inspected);
  const text = JSON.stringify(value ?? null, (_key, member) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return ['null', '[]', '{}', '""'].includes(text)
    ? 'empty'
    : normalise('values', text.replace(sourcePath, '"Source":"…/$1"'));
}

/**
 * Names of members and types of values, not the values: those are compared where they mean something. A list may be null
 * (of a client in Go) wherever it is empty.
 */
function shapeOf(value, path = '') {
  if (value === null || Array.isArray(value)) return [`${path} list`];
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
  return section === 'mounts' || section === 'volumes' ? normaliseMount(text) : text;
}

/** Where a tree lies on the machine, and what its file system is, are the machine's. */
function normaliseMount(line) {
  const [target, root, options, tags, type, , superOptions] = line.split(' ');
  if (type === 'overlay') {
    const names = superOptions
      .replace(/=[^,]*/g, '')
      .replace(/,?(?:xino|uuid|metacopy|redirect_dir|index|nfs_export)\b/g, '');
    return [target, root, options, tags, type, names].join(' ');
  }
  if (!['ext4', 'xfs', 'btrfs'].includes(type)) return line;
  const name = root.replace(/^.*\/(?:_?(data)$)?/, '…/$1');
  return [target, name, options, tags, 'machine'].join(' ');
}
