import {spawnSync} from 'node:child_process';
import {command, interleaved} from './measure.mjs';
import {amounts} from './report.mjs';

/** Namespaces of the two machines that publish; the real engine's is its script's. */
const machines = {tscompose: 'tsc-bench-engine', docker: 'tscompose-oracle'};
/** Another machine on the network of each of them. */
const outside = 'tsc-bench-out';
const links = {
  tscompose: {machine: 'tscbench0', address: '10.231.0.1', neighbour: '10.231.0.2'},
  docker: {machine: 'tscbench1', address: '10.231.1.1', neighbour: '10.231.1.2'},
};
const seconds = '1';

const ways = [
  {
    title: 'through a published port, from another machine',
    namespace: () => outside,
    port: true,
    host: (side) => links[side].address,
  },
  {
    title: 'through a published port, from 127.0.0.1',
    namespace: (side) => machines[side],
    port: true,
    host: () => '127.0.0.1',
  },
  {title: 'between two containers', port: false},
];

/** Bytes a second, in both directions. */
export async function measureTraffic(bed, rounds = 9) {
  const servers = {};
  const peers = {};
  connectOutside();
  try {
    for (const side of Object.keys(machines)) {
      servers[side] = await serverOf(bed, side);
      peers[side] = await bed.create(side, ['idle']);
      await peers[side].start();
    }
    const rows = [];
    for (const way of ways)
      for (const [verb, direction] of Object.entries({put: 'in', get: 'out'})) {
        const side = (name) => async () => {
          const {address, port} = servers[name];
          if (!way.port) return rate(await inContainer(peers[name], ['/pump', verb, address, '5000', seconds]));
          const words = [
            `--net=/run/netns/${way.namespace(name)}`,
            '--',
            bed.pump,
            verb,
            way.host(name),
            port,
            seconds,
          ];
          return rate(await command('nsenter', words));
        };
        const taken = await interleaved(rounds, {tscompose: side('tscompose'), docker: side('docker')});
        rows.push(amounts(`bytes ${way.title}, ${direction}`, taken, {unit: 'MB/s', least: 0.95}));
      }
    return rows;
  } finally {
    disconnectOutside();
  }
}

/** Answers to questions for another container's name, asked one after another in a container. */
export async function measureNames(bed, rounds = 9) {
  const askers = {};
  for (const side of Object.keys(machines)) {
    const named = await bed.create(side, ['idle'], {name: 'tscbench-named'});
    await named.start();
    askers[side] = await bed.create(side, ['idle']);
    await askers[side].start();
  }
  const side = (name) => async () => {
    const text = await inContainer(askers[name], ['/pump', 'ask', '127.0.0.11', 'tscbench-named', seconds]);
    return rate(text, 1);
  };
  const taken = await interleaved(rounds, {tscompose: side('tscompose'), docker: side('docker')});
  return [amounts('answers to questions for a name', taken, {unit: 'a second', least: 1})];
}

async function serverOf(bed, side) {
  const container = await bed.create(side, ['serve', '5000'], {
    ExposedPorts: {'5000/tcp': {}},
    HostConfig: {PortBindings: {'5000/tcp': [{HostIp: '0.0.0.0', HostPort: ''}]}},
  });
  await container.start();
  const {NetworkSettings} = await container.inspect();
  return {
    address: NetworkSettings.Networks[bed.network].IPAddress,
    port: NetworkSettings.Ports['5000/tcp'][0].HostPort,
  };
}

async function inContainer(container, words) {
  const exec = await container.exec({Cmd: words, AttachStdout: true, AttachStderr: true});
  let text = '';
  for await (const {data} of (await exec.start()).output) text += Buffer.from(data).toString();
  const {ExitCode} = await exec.inspect();
  if (ExitCode !== 0) throw new Error(`${words.join(' ')} ended with ${ExitCode}: ${text}`);
  return text;
}

/** Of what `pump` prints: how much, and in how many seconds. */
function rate(text, unit = 1e6) {
  const [amount, took] = text.trim().split(' ').map(Number);
  return amount / took / unit;
}

function connectOutside() {
  disconnectOutside();
  const ip = (...words) => {
    const {status, stderr} = spawnSync('ip', words, {encoding: 'utf8'});
    if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
  };
  ip('netns', 'add', outside);
  for (const [side, {machine, address, neighbour}] of Object.entries(links)) {
    ip('-n', outside, 'link', 'add', machine, 'type', 'veth', 'peer', 'name', machine, 'netns', machines[side]);
    ip('-n', outside, 'address', 'add', `${neighbour}/30`, 'dev', machine);
    ip('-n', machines[side], 'address', 'add', `${address}/30`, 'dev', machine);
    ip('-n', outside, 'link', 'set', machine, 'up');
    ip('-n', machines[side], 'link', 'set', machine, 'up');
  }
}

/** The links go with the namespace. */
function disconnectOutside() {
  spawnSync('ip', ['netns', 'delete', outside]);
  for (const [side, {machine}] of Object.entries(links))
    spawnSync('ip', ['-n', machines[side], 'link', 'delete', machine]);
}
