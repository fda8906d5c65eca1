import {TscomposeError} from '../../base/errors.ts';
import type {Layout} from '../layout.ts';
import {nftablesTableName} from '../layout.ts';
import {driverOptionsOf} from './driver-options.ts';
import {chains, portSets, rulesVersion, sets} from './firewall-rules.ts';
import {type Kernel, kernelErrno, kernelNeeds} from './kernel.ts';
import {unlessMissing} from './machine.ts';
import {interfaceName} from './netlink/expression.ts';
import type {NetlinkMessage} from './netlink/message.ts';
import {
  addChain,
  addElements,
  addRule,
  addSet,
  addTable,
  decodeElements,
  decodeRule,
  deleteElements,
  deleteRulesOf,
  flushSet,
  getElements,
  getRules,
  type SetElement,
  type TableRef,
  tableFamilies,
} from './netlink/nftables.ts';
import type {NetworkRecord} from './network-record.ts';
import type {PortElement} from './port-elements.ts';

export function tableOf(layout: Layout): TableRef {
  return {family: tableFamilies.inet, table: nftablesTableName(layout)};
}

/** What the sets should hold, by name. */
type Elements = ReadonlyMap<string, readonly Uint8Array[]>;

/**
 * Makes the root's table as it should be for these networks, if it is not: made anew where it is gone (after a reboot, or
 * after the machine's rules were flushed), corrected where it differs. `ports` answers the elements of all running
 * containers, for a table that is made anew.
 */
export async function ensureFirewall(
  kernel: Kernel,
  layout: Layout,
  networks: readonly NetworkRecord[],
  ports: () => Promise<readonly PortElement[]>,
): Promise<void> {
  const table = tableOf(layout);
  const wanted = wantedElements(networks);
  const step = `set up the firewall table ${table.table}`;
  // Asked together: each answer is a way to the helper and back.
  const [rules, changesOfElements] = await Promise.all([
    unlessMissing(kernel.read('netfilter', getRules(table), decodeRule, 'list the firewall rules')),
    elementChanges(kernel, table, wanted),
  ]);
  const rulesFit = rules?.length === ruleCount && rules.every(({comment}) => comment === ruleComment);
  const corrections = rulesFit ? changesOfElements : undefined;
  if (corrections) {
    await kernel.rules(corrections, step);
    return;
  }
  const exists = rules !== undefined;
  const changes: NetlinkMessage[] = [
    addTable(table),
    ...Object.values({...sets, ...portSets}).map((set, index) => addSet(table, set, index + 1)),
    ...chains.map(({name, base}) => addChain(table, name, base)),
    ...(exists ? [deleteRulesOf(table)] : []),
    ...chains.flatMap(({name, rules: list}) =>
      list.map((expressions) => addRule(table, {chain: name, expressions, comment: ruleComment})),
    ),
    ...[...wanted].flatMap(([set, keys]) => [
      ...(exists ? [flushSet(table, set)] : []),
      ...additions(table, set, keys),
    ]),
    ...(rules === undefined || rules.length === 0
      ? (await ports()).map(({set, element}) => addElements(table, set, [element]))
      : []),
  ];
  await kernel.rules(changes, step).catch((error: unknown) => {
    // Everything named in it is made in it: what is not found is a kind of expression.
    if (kernelErrno(error) !== 'ENOENT') throw error;
    throw new TscomposeError('unsupported', `${step}: the kernel lacks a part of nf_tables`, {
      hint: kernelNeeds,
      cause: error,
    });
  });
}

/** The table is there, whatever is in it: all that can be asked in one question. */
export async function hasFirewall(kernel: Kernel, layout: Layout): Promise<boolean> {
  const found = await unlessMissing(readElements(kernel, tableOf(layout), sets.bridges.name));
  return found !== undefined && found.length > 0;
}

const ruleComment = `tscompose ${rulesVersion}`;
const ruleCount = chains.reduce((count, {rules}) => count + rules.length, 0);

function wantedElements(networks: readonly NetworkRecord[]): Elements {
  const pick = (condition: (network: NetworkRecord) => boolean) =>
    networks.filter(condition).map(({bridge}) => interfaceName(bridge));
  const pairs = (names: readonly Uint8Array[]) => names.map((name) => Buffer.concat([name, name]));
  return new Map<string, readonly Uint8Array[]>([
    [sets.bridges.name, pick(() => true)],
    [sets.same.name, pairs(pick(() => true))],
    [sets.closed.name, pairs(pick((network) => !driverOptionsOf(network).interContainer))],
    [sets.internal.name, pick(({internal}) => internal)],
    [sets.masquerade.name, pick((network) => !network.internal && driverOptionsOf(network).masquerade)],
  ]);
}

/** What differs in the sets; undefined where one is missing. */
async function elementChanges(
  kernel: Kernel,
  table: TableRef,
  wanted: Elements,
): Promise<readonly NetlinkMessage[] | undefined> {
  const changes = await Promise.all(
    [...wanted].map(async ([set, keys]) => {
      const found = await unlessMissing(readElements(kernel, table, set));
      return found && changesOfSet(table, set, {found: found.map(({key}) => key), wanted: keys});
    }),
  );
  return changes.every((list) => list !== undefined) ? changes.flat() : undefined;
}

function changesOfSet(
  table: TableRef,
  set: string,
  {found, wanted}: {readonly found: readonly Uint8Array[]; readonly wanted: readonly Uint8Array[]},
): readonly NetlinkMessage[] {
  const present = new Set(found.map(hex));
  const expected = new Set(wanted.map(hex));
  const surplus = found.filter((key) => !expected.has(hex(key)));
  const missing = wanted.filter((key) => !present.has(hex(key)));
  return [...(surplus.length > 0 ? [deleteElements(table, set, surplus)] : []), ...additions(table, set, missing)];
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export async function readElements(kernel: Kernel, table: TableRef, set: string): Promise<readonly SetElement[]> {
  return (await kernel.read('netfilter', getElements(table, set), decodeElements, `list the set ${set}`)).flat();
}

function additions(table: TableRef, set: string, keys: readonly Uint8Array[]): readonly NetlinkMessage[] {
  return keys.length > 0
    ? [
        addElements(
          table,
          set,
          keys.map((key) => ({key})),
        ),
      ]
    : [];
}
