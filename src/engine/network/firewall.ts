import type {Layout} from '../layout.ts';
import {nftablesTableName} from '../layout.ts';
import {driverOptionsOf} from './driver-options.ts';
import {chains, portSets, rulesVersion, sets} from './firewall-rules.ts';
import type {Kernel} from './kernel.ts';
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
  const rules = await unlessMissing(kernel.read('netfilter', getRules(table), decodeRule, 'list the firewall rules'));
  const isNew = rules === undefined || rules.length === 0;
  const rulesFit = !isNew && rules.length === ruleCount && rules.every(({comment}) => comment === ruleComment);
  if (rulesFit && (await elementsFit(kernel, table, wanted))) return;
  const changes: NetlinkMessage[] = [
    addTable(table),
    ...Object.values({...sets, ...portSets}).map((set, index) => addSet(table, set, index + 1)),
    ...chains.map(({name, base}) => addChain(table, name, base)),
    deleteRulesOf(table),
    ...chains.flatMap(({name, rules: list}) =>
      list.map((expressions) => addRule(table, {chain: name, expressions, comment: ruleComment})),
    ),
    ...[...wanted].flatMap(([set, keys]) => [
      flushSet(table, set),
      ...elements(
        table,
        set,
        keys.map((key) => ({key})),
      ),
    ]),
    ...(isNew ? (await ports()).map(({set, element}) => addElements(table, set, [element])) : []),
  ];
  await kernel.rules(changes, `set up the firewall table ${table.table}`);
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

async function elementsFit(kernel: Kernel, table: TableRef, wanted: Elements): Promise<boolean> {
  for (const [set, keys] of wanted) {
    const found = await unlessMissing(readElements(kernel, table, set));
    if (!found) return false;
    const hex = (list: readonly Uint8Array[]) => list.map((key) => Buffer.from(key).toString('hex')).sort();
    if (hex(found.map(({key}) => key)).join() !== hex(keys).join()) return false;
  }
  return true;
}

export async function readElements(kernel: Kernel, table: TableRef, set: string): Promise<readonly SetElement[]> {
  return (await kernel.read('netfilter', getElements(table, set), decodeElements, `list the set ${set}`)).flat();
}

function elements(table: TableRef, set: string, list: readonly SetElement[]): readonly NetlinkMessage[] {
  return list.length > 0 ? [addElements(table, set, list)] : [];
}
