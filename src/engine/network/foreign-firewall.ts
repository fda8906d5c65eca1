import type {Layout} from '../layout.ts';
import {driverOptionsOf} from './driver-options.ts';
import {type Kernel, kernelErrno} from './kernel.ts';
import {attributes, text} from './netlink/attribute.ts';
import {counter, decide, type Expression, equals, interfaceName, load, verdicts} from './netlink/expression.ts';
import type {NetlinkMessage} from './netlink/message.ts';
import {
  addRule,
  type ChainInfo,
  decodeChain,
  decodeRule,
  deleteRule,
  getChains,
  getRules,
  hooks,
  policies,
  type RuleInfo,
  tableFamilies,
} from './netlink/nftables.ts';
import type {NetworkRecord} from './network-record.ts';
import type {Warning} from './warning.ts';

/**
 * In nftables a drop by any chain is final, so a firewall beside us (Docker's or ufw's FORWARD policy, firewalld) would
 * stop our containers whatever our own table says. Each base chain at the forward hook that may drop gets accepts for our
 * bridges at its head, marked with the root and taken away with its last network. They open nothing: what may pass is
 * decided by our own table, which sees the same packets.
 */

/** All of the root's marked rules, wherever they are. */
export async function readMarkedRules(kernel: Kernel, layout: Layout): Promise<readonly RuleInfo[]> {
  const rules = await kernel.read('netfilter', getRules(), decodeRule, 'list the firewall rules');
  return rules.filter(({comment}) => comment === mark(layout));
}

export function deleteMarkedRules(rules: readonly RuleInfo[]): readonly NetlinkMessage[] {
  return rules.map((rule) => deleteRule(rule, rule));
}

/** Places what is missing. What a firewall refuses comes back as a warning that says what to run. */
export async function ensureAccepted(
  kernel: Kernel,
  layout: Layout,
  networks: readonly NetworkRecord[],
): Promise<readonly Warning[]> {
  const warnings: Warning[] = [];
  const [rules, chains] = await Promise.all([
    kernel.read('netfilter', getRules(), decodeRule, 'list the firewall rules'),
    kernel.read('netfilter', getChains(), decodeChain, 'list the firewall chains'),
  ]);
  const patterns = bridgePatterns(networks);
  for (const chain of chains) {
    if (!isForeignForward(chain)) continue;
    const inChain = rules.filter((rule) => isSameTable(rule, chain) && rule.chain === chain.chain);
    const marked = inChain.filter(({comment}) => comment === mark(layout));
    if (!mayDrop(chain, rules) && marked.length === 0) continue;
    const wanted = patterns.flatMap(acceptRules);
    if (sameRules(marked, wanted)) continue;
    const place = wanted.map((expressions) =>
      addRule(chain, {chain: chain.chain, expressions, comment: mark(layout)}, 'first'),
    );
    try {
      await kernel.rules([...deleteMarkedRules(marked), ...place], `accept bridges in ${nameOf(chain)}`);
    } catch (error) {
      // A table may belong to a running program alone (firewalld, NFT_TABLE_F_OWNER), or be gone by now.
      if (kernelErrno(error) !== 'EPERM') continue;
      warnings.push(refusedWarning(chain, patterns));
    }
  }
  return warnings;
}

function mark(layout: Layout): string {
  return `tscompose:${layout.rootHash}`;
}

/** Interface names as a firewall matches them: a prefix for the bridges we named, others in full. */
function bridgePatterns(networks: readonly NetworkRecord[]): readonly Uint8Array[] {
  const named = networks.filter((network) => driverOptionsOf(network).bridgeName !== undefined);
  return [Buffer.from(bridgePrefix), ...named.map(({bridge}) => interfaceName(bridge))];
}

const bridgePrefix = 'tsb';

/** As iptables writes them (`-i tsb+ -j ACCEPT`), so that it goes on listing its chain. */
function acceptRules(pattern: Uint8Array): readonly (readonly Expression[])[] {
  return [load.iifname(), load.oifname()].map((name) => [name, equals(pattern), counter, decide({kind: 'accept'})]);
}

function sameRules(found: readonly RuleInfo[], wanted: readonly (readonly Expression[])[]): boolean {
  const keys = (lists: readonly (readonly Expression[])[]) => lists.map(ruleKey).sort().join();
  return keys(found.map(({expressions}) => expressions())) === keys(wanted);
}

/** What is compared of a rule: its interface. */
function ruleKey(expressions: readonly Expression[]): string {
  return expressions
    .map((expression) => {
      if (expression.kind === 'meta') return `meta${expression.key}`;
      if (expression.kind !== 'cmp') return '';
      return Buffer.from(expression.data?.value ?? [])
        .toString('hex')
        .replace(/(00)+$/, '');
    })
    .join(' ');
}

const ownTables = /^tscompose_/;

function isForeignForward({base, family, table}: ChainInfo): boolean {
  const routed: readonly number[] = [tableFamilies.inet, tableFamilies.ipv4, tableFamilies.ipv6];
  return base?.hook === hooks.forward && base.type === 'filter' && routed.includes(family) && !ownTables.test(table);
}

function isSameTable(a: {readonly family: number; readonly table: string}, b: typeof a): boolean {
  return a.family === b.family && a.table === b.table;
}

/** By its policy, or by a rule of it or of a chain it leads to. */
function mayDrop(chain: ChainInfo, rules: readonly RuleInfo[]): boolean {
  if (chain.base?.policy === policies.drop) return true;
  const seen = new Set<string>();
  const visit = (name: string): boolean => {
    if (seen.has(name)) return false;
    seen.add(name);
    return rules
      .filter((rule) => isSameTable(rule, chain) && rule.chain === name)
      .some(({expressions}) =>
        expressions().some((expression) => drops(expression) || leadsTo(expression).some(visit)),
      );
  };
  return visit(chain.chain);
}

/** The target of an iptables extension: its name is attribute 1. */
const target = attributes({name: [1, text]});

function drops(expression: Expression): boolean {
  switch (expression.kind) {
    case 'immediate':
      return expression.data?.verdict?.code === verdicts.drop;
    case 'reject':
      return true;
    case 'lookup':
      // A verdict map: what it leads to is in its elements.
      return expression.destination === 0;
    case 'unknown':
      return (
        expression.name === 'queue' ||
        (expression.name === 'target' &&
          ['DROP', 'REJECT', 'NFQUEUE'].includes(target.decode(expression.data).name ?? ''))
      );
    default:
      return false;
  }
}

function leadsTo(expression: Expression): readonly string[] {
  if (expression.kind !== 'immediate') return [];
  const chain = expression.data?.verdict?.chain;
  return chain === undefined ? [] : [chain];
}

function nameOf({family, table, chain}: ChainInfo): string {
  const names: Readonly<Record<number, string>> = {[tableFamilies.ipv4]: 'ip', [tableFamilies.ipv6]: 'ip6'};
  return `${names[family] ?? 'inet'} ${table} ${chain}`;
}

function refusedWarning(chain: ChainInfo, patterns: readonly Uint8Array[]): Warning {
  const names = patterns.map((pattern, index) =>
    index === 0 ? `${bridgePrefix}*` : Buffer.from(pattern).toString().replace(/\0+$/, ''),
  );
  const commands = names.flatMap((name) =>
    ['iifname', 'oifname'].map((side) => `nft 'insert rule ${nameOf(chain)} ${side} "${name}" accept'`),
  );
  const hint =
    chain.table === 'firewalld'
      ? `run firewall-cmd --permanent --zone=trusted --add-interface=${bridgePrefix}+ and firewall-cmd --reload`
      : `run ${commands.join(' and ')}`;
  return {message: `the firewall chain ${nameOf(chain)} drops packets of containers and refuses changes`, hint};
}
