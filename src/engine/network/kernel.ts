import {type ErrorKind, TscomposeError} from '../../base/errors.ts';
import type {Helper, NetlinkError} from '../helper/coprocess.ts';
import type {HelperFailure} from '../helper/reply.ts';
import {decodeMessages, encodeMessages, type NetlinkMessage} from './netlink/message.ts';
import {transaction} from './netlink/nftables.ts';

/** Netlink protocols, as the helper's requests and a launch plan name them. */
export const netlinkFamilies = {route: 0, netfilter: 12} as const;
export type NetlinkFamily = keyof typeof netlinkFamilies;

/** The machine's network, as the helper sees it: every change and question of the engine goes through here. */
export interface Kernel {
  /** Sends each message; throws for the first that is refused, those after it are done all the same. */
  route(messages: readonly NetlinkMessage[], step: string): Promise<void>;
  /** Changes the rule set: all or nothing. `generation`: throws with ERESTART when anything changed since. */
  rules(changes: readonly NetlinkMessage[], step: string, generation?: number): Promise<void>;
  /** Changes one tracked connection. */
  connection(message: NetlinkMessage, step: string): Promise<void>;
  /** Asks, and keeps what `decode` understands. */
  read<T>(
    family: NetlinkFamily,
    question: NetlinkMessage,
    decode: (message: NetlinkMessage) => T | undefined,
    step: string,
  ): Promise<readonly T[]>;
}

export function createKernel(helper: Pick<Helper, 'request'>): Kernel {
  const send = async (family: NetlinkFamily, messages: readonly NetlinkMessage[], step: string) => {
    const batch = encodeMessages(messages);
    const reply = await helper.request({kind: 'netlink', net: '', family: netlinkFamilies[family], batch});
    const [error] = reply.errors ?? [];
    if (error) throw refused(error, {family, step});
    return decodeMessages(Buffer.from(reply.messages, 'base64'));
  };
  return {
    route: async (messages, step) => {
      if (messages.length > 0) await send('route', messages, step);
    },
    rules: async (changes, step, generation) => {
      if (changes.length > 0) await send('netfilter', transaction(changes, generation), step);
    },
    connection: async (message, step) => {
      await send('netfilter', [message], step);
    },
    read: async (family, question, decode, step) =>
      (await send(family, [question], step)).flatMap((message) => decode(message) ?? []),
  };
}

/** What to say where the kernel lacks something. */
export const kernelNeeds =
  'the kernel needs bridges, veth and nf_tables with NAT: CONFIG_BRIDGE, CONFIG_VETH, CONFIG_NF_TABLES_INET, CONFIG_NFT_CT, CONFIG_NFT_NAT, CONFIG_NFT_MASQ, CONFIG_NFT_FIB_INET';

const kindOfErrno: Readonly<Record<string, ErrorKind>> = {
  EPERM: 'forbidden',
  EACCES: 'forbidden',
  ENOENT: 'notFound',
  ENODEV: 'notFound',
  ESRCH: 'notFound',
  EEXIST: 'conflict',
  EBUSY: 'conflict',
  ERESTART: 'conflict',
  EADDRINUSE: 'conflict',
  ENOMEM: 'exhausted',
  ENOBUFS: 'exhausted',
  ENFILE: 'exhausted',
  EOPNOTSUPP: 'unsupported',
  EAFNOSUPPORT: 'unsupported',
  EPROTONOSUPPORT: 'unsupported',
};

function refused(
  {errno, code, index}: NetlinkError,
  {family, step}: {readonly family: NetlinkFamily; readonly step: string},
): TscomposeError {
  // The first message of all is refused so where nf_tables is missing as a whole (nfnetlink.c).
  const noTables = family === 'netfilter' && index === 0 && errno === 'EINVAL';
  const kind = noTables ? 'unsupported' : (kindOfErrno[errno] ?? 'internal');
  const cause: HelperFailure = {errno, step};
  const name = errno === '' ? `error ${code}` : errno;
  const hint =
    kind === 'forbidden'
      ? 'run tscompose as root (sudo tscompose …)'
      : kind === 'unsupported'
        ? kernelNeeds
        : undefined;
  return new TscomposeError(kind, `${step}: the kernel answered ${name}`, {cause, hint});
}

/** The kernel's reason, where the error is one of its answers. */
export function kernelErrno(error: unknown): string | undefined {
  if (!(error instanceof TscomposeError)) return undefined;
  const cause = error.cause as Partial<HelperFailure> | undefined;
  return typeof cause === 'object' && cause !== null ? cause.errno : undefined;
}
