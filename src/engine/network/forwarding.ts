import {join} from 'node:path';
import {rm} from '../at-once.ts';
import {readBootId} from '../clock.ts';
import type {Layout} from '../layout.ts';
import {readText, writeRecord} from '../record-store.ts';
import type {Kernel} from './kernel.ts';
import {type MachineFiles, readLinks, unlessMissing} from './machine.ts';
import {addressFamilies} from './netlink/address.ts';
import {
  connectionState,
  connectionStatus,
  decide,
  type Expression,
  equals,
  hasBits,
  inSet,
  interfaceName,
  load,
  register,
} from './netlink/expression.ts';
import {
  addChain,
  addElements,
  addRule,
  addSet,
  addTable,
  decodeRule,
  deleteTable,
  getRules,
  type TableRef,
  tableFamilies,
} from './netlink/nftables.ts';

/**
 * Containers need the machine to forward packets, which turns it into a router for everybody. Where we are the ones who
 * switch forwarding on, a table beside guards the interfaces that were there before: nothing new comes in through them
 * to be forwarded but what was published. Interfaces made later belong to someone who wants forwarding and are let be.
 *
 * The table is shared by all roots of the network namespace, and is itself the record of what was switched on: like the
 * settings, it lives exactly as long as the namespace. A note in the run directory helps over a flush of all rules.
 */
const forwardingTable: TableRef = {family: tableFamilies.inet, table: 'tscompose_forwarding'};

const guard = 'guard';
const machineSet = {name: 'machine', key: ['interfaceName']} as const;
/** A bridge of the machine, with itself: its frames pass the forward hook too where bridge-nf-call-iptables is set. */
const sameSet = {name: 'same', key: ['interfaceName', 'interfaceName']} as const;

interface Family {
  readonly name: 'ipv4' | 'ipv6';
  readonly number: number;
  readonly setting: string;
}
const families: readonly Family[] = [
  {name: 'ipv4', number: addressFamilies.inet, setting: 'net/ipv4/ip_forward'},
  {name: 'ipv6', number: addressFamilies.inet6, setting: 'net/ipv6/conf/all/forwarding'},
];

/** Switches forwarding on for the families asked for, behind the guard. Throws `forbidden` where it may not be changed. */
export async function ensureForwarding(
  kernel: Kernel,
  files: MachineFiles,
  layout: Layout,
  wanted: {readonly ipv4: boolean; readonly ipv6: boolean},
): Promise<void> {
  for (const family of families) {
    if (!wanted[family.name]) continue;
    const isOn = (await files.readSetting(family.setting)) === '1';
    const ours = await readNote(layout);
    if (isOn && !ours.includes(family.name)) continue;
    if (!(await guardedFamilies(kernel)).has(family.name)) await addGuard(kernel, files, family);
    if (isOn) continue;
    await writeRecord(notePath(layout), {boot: readBootId(), families: [...new Set([...ours, family.name])]});
    if (family.name === 'ipv6') await keepRouterAdvertisements(kernel, files);
    await files.writeSetting(family.setting, '1');
  }
}

function notePath(layout: Layout): string {
  return join(layout.run, 'forwarding.json');
}

/** What this root switched on since the machine was started. */
async function readNote(layout: Layout): Promise<readonly string[]> {
  const text = await readText(notePath(layout));
  if (text === undefined) return [];
  const note = JSON.parse(text) as {readonly boot?: string; readonly families?: readonly string[]};
  return note.boot === readBootId() ? (note.families ?? []) : [];
}

export async function removeNote(layout: Layout): Promise<void> {
  await rm(notePath(layout), {force: true});
}

/** What was switched on by us, with the interfaces whose `accept_ra` was changed with it. */
export async function guardedFamilies(kernel: Kernel): Promise<ReadonlyMap<string, readonly string[]>> {
  const question = kernel.read('netfilter', getRules(forwardingTable), decodeRule, 'list the forwarding guard');
  const rules = (await unlessMissing(question)) ?? [];
  return new Map(
    rules.flatMap(({comment}): (readonly [string, readonly string[]])[] => {
      const [name = '', ...interfaces] = comment.split(' ');
      return families.some((family) => family.name === name) ? [[name, interfaces]] : [];
    }),
  );
}

/** Deletes the guard; to be done in one transaction with the check that no root needs forwarding any more. */
export const deleteGuard = deleteTable(forwardingTable);

/** Puts the settings back. `on` false undoes, true does again what was undone too early. */
export async function switchForwarding(
  files: MachineFiles,
  guarded: ReadonlyMap<string, readonly string[]>,
  on: boolean,
): Promise<void> {
  for (const family of families) {
    const interfaces = guarded.get(family.name);
    if (!interfaces) continue;
    if (on) await setAcceptance(files, interfaces, '2');
    await files.writeSetting(family.setting, on ? '1' : '0');
    if (!on) await setAcceptance(files, interfaces, '1');
  }
}

async function addGuard(kernel: Kernel, files: MachineFiles, family: Family): Promise<void> {
  const names = (await readLinks(kernel))
    // Those of every root carry an alias of ours.
    .filter(({name, alias}) => name !== 'lo' && !alias.startsWith('tscompose:'))
    .map(({name}) => name);
  const accepting = family.name === 'ipv6' ? await acceptingInterfaces(files, names) : [];
  const accept = decide({kind: 'accept'});
  const own: readonly Expression[] = [load.nfproto(), equals(Uint8Array.of(family.number))];
  const rule = (expressions: readonly Expression[], comment?: string) =>
    addRule(forwardingTable, {chain: guard, expressions: [...own, ...expressions], ...(comment ? {comment} : {})});
  const keys = names.map((name) => interfaceName(name));
  await kernel.rules(
    [
      addTable(forwardingTable),
      addSet(forwardingTable, machineSet, 1),
      addSet(forwardingTable, sameSet, 2),
      addChain(forwardingTable, guard, {type: 'filter', hook: 'forward', priority: 0}),
      ...(keys.length === 0
        ? []
        : [
            addElements(
              forwardingTable,
              machineSet.name,
              keys.map((key) => ({key})),
            ),
            addElements(
              forwardingTable,
              sameSet.name,
              keys.map((key) => ({key: Buffer.concat([key, key])})),
            ),
          ]),
      rule([load.ctState(), ...hasBits(connectionState.established | connectionState.related), accept]),
      rule([load.ctStatus(), ...hasBits(connectionStatus.destinationTranslated), accept]),
      rule([load.iifname(register(0)), load.oifname(register(4)), inSet(sameSet.name), accept]),
      rule([load.iifname(), inSet(machineSet.name), decide({kind: 'drop'})], [family.name, ...accepting].join(' ')),
    ],
    'guard the forwarding of packets',
  );
}

/**
 * A router does not listen to router advertisements (accept_ra 1), so a machine configured by them would lose its routes:
 * 2 means listen all the same. Documentation/networking/ip-sysctl.rst.
 */
async function acceptingInterfaces(files: MachineFiles, names: readonly string[]): Promise<readonly string[]> {
  const settings = await Promise.all(names.map((name) => files.readSetting(acceptSetting(name))));
  // A dot in a name would be another setting's path; a comment holds 254 bytes.
  return names.filter((name, index) => settings[index] === '1' && /^[\w-]+$/.test(name)).slice(0, 14);
}

async function keepRouterAdvertisements(kernel: Kernel, files: MachineFiles): Promise<void> {
  await setAcceptance(files, (await guardedFamilies(kernel)).get('ipv6') ?? [], '2');
}

async function setAcceptance(files: MachineFiles, interfaces: readonly string[], value: string): Promise<void> {
  for (const name of interfaces) {
    // An interface may be gone by now.
    await files.writeSetting(acceptSetting(name), value).catch(() => undefined);
  }
}

function acceptSetting(name: string): string {
  return `net/ipv6/conf/${name}/accept_ra`;
}
