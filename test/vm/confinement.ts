// What the virtual machine runs to see profiles of AppArmor, which its kernel has.
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import type {HostConfig} from '../../src/api/types/container.ts';
import {expectText, refusalOf} from './claims.ts';
import {createAlone, guestEngine} from './guest-engine.ts';

const engine = await guestEngine('confined');
const {containers, execs, system} = engine;
const create = (host: HostConfig, line: string) => createAlone(engine, ['sh', '-c', line], host);

const {stderr} = spawnSync('apparmor_parser', ['--replace'], {
  input: `abi <abi/3.0>,
profile guest-test flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  signal,
  deny /proc/version r,
}
`,
  encoding: 'utf8',
});
expectText('what the parser says', stderr, '');

/** `3` where /proc/version may not be read, `0` where it may. */
const look = 'cat /proc/version || exit 3';

async function exitCodeOf(HostConfig: HostConfig): Promise<string> {
  const id = await create(HostConfig, look);
  await containers.start(id);
  const {StatusCode} = await containers.wait(id, 'not-running');
  await containers.remove(id);
  return String(StatusCode);
}

const mine = {SecurityOpt: ['apparmor=guest-test']};
expectText('a confined program', await exitCodeOf(mine), '3');
expectText('one below init', await exitCodeOf({...mine, Init: true}), '3');
expectText('a privileged one', await exitCodeOf({...mine, Privileged: true}), '3');
expectText(
  'one without new privileges',
  await exitCodeOf({SecurityOpt: [...mine.SecurityOpt, 'no-new-privileges']}),
  '3',
);
expectText('one without a filter', await exitCodeOf({SecurityOpt: [...mine.SecurityOpt, 'seccomp=unconfined']}), '3');
expectText('an unconfined one', await exitCodeOf({SecurityOpt: ['apparmor=unconfined']}), '0');
expectText('one that says nothing', await exitCodeOf({}), '0');
expectText('one with a label', await exitCodeOf({SecurityOpt: ['label=type:mine']}), '0');

const id = await create(mine, 'sleep 1000');
await containers.start(id);
const {AppArmorProfile, State} = await containers.inspect(id);
expectText('the profile that inspect shows', AppArmorProfile, 'guest-test');
expectText(
  'the profile of the process',
  readFileSync(`/proc/${State.Pid}/attr/apparmor/current`, 'utf8').trim(),
  'guest-test (enforce)',
);
const exec = await execs.create(id, {Cmd: ['sh', '-c', look]});
await execs.start(exec.Id, {detach: true});
let seen = await execs.inspect(exec.Id);
for (let attempt = 0; attempt < 600 && seen.Running; attempt += 1) {
  await delay(100);
  seen = await execs.inspect(exec.Id);
}
expectText('what is executed in it', String(seen.ExitCode), '3');
await containers.remove(id, {force: true});

const absent = await create({SecurityOpt: ['apparmor=absent']}, 'true');
expectText(
  'the refusal of a profile that is not there',
  await refusalOf(containers.start(absent)),
  'AppArmor profile "absent": it is not loaded',
);
const after = await containers.inspect(absent);
expectText('its state', `${after.State.Status} ${after.State.ExitCode}`, 'created 128');
await containers.remove(absent);
const plain = await create({}, 'true');
expectText('the profile of none', (await containers.inspect(plain)).AppArmorProfile, 'unconfined');
await containers.remove(plain);
expectText('what the engine tells of it', (await system.info()).SecurityOptions[0] ?? '', 'name=apparmor');
await engine.close();
