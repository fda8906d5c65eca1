import {readFile} from 'node:fs/promises';
import type {Layout} from '../layout.ts';
import {type MachineFiles, machineFiles} from '../network/machine.ts';
import type {Warning} from '../network/warning.ts';
import {type IdMaps, idMaps, readIdSources} from './ids.ts';
import {createKeeper, type Keeper} from './keeper.ts';
import type {RootlessMachine} from './machine.ts';
import {findOutbound} from './outbound.ts';

/** What is different where the engine belongs to an ordinary user (docs/rootless.md). */
export interface Rootless {
  readonly keeper: Keeper;
  readonly files: MachineFiles;
  machine(): Promise<RootlessMachine>;
  /** What is to be told of a network that leads outside. */
  warn(network: string): Promise<readonly Warning[]>;
}

export function createRootless({
  layout,
  bootId,
  userId,
}: {
  readonly layout: Layout;
  readonly bootId: string;
  readonly userId: number;
}): Rootless {
  let read: Promise<IdMaps> | undefined;
  const ids = () => (read ??= readIdSources(userId, process.getegid?.() ?? userId).then(idMaps));
  const total = (ranges: IdMaps['users']) => ranges.reduce((sum, {count}) => sum + count, 0);
  const keeper = createKeeper({layout, bootId, ids, outbound: () => findOutbound()});
  return {
    keeper,
    files: keptFiles,
    async warn(network) {
      if ((await keeper.state())?.outbound !== false) return [];
      const program = await findOutbound();
      return [
        {
          message: program
            ? `containers of network "${network}" reach nothing outside: ${program.path} does not work here`
            : `containers of network "${network}" reach nothing outside: there is neither pasta nor slirp4netns`,
          hint: 'install the package "passt" and bring the stack down and up again; published ports work all the same',
        },
      ];
    },
    async machine() {
      const [maps, score] = await Promise.all([ids(), readFile('/proc/self/oom_score_adj', 'utf8')]);
      return {
        userId,
        oomScore: Number(score),
        users: total(maps.users),
        groups: total(maps.groups),
        outside: keeper.socket,
      };
    },
  };
}

/** Of the user's network namespace, where the keeper has switched forwarding on, and nobody else has a firewall. */
const keptFiles: MachineFiles = {
  async readSetting(name) {
    if (name === 'net/ipv4/ip_forward') return '1';
    if (name !== 'net/ipv6/conf/all/forwarding') return await machineFiles.readSetting(name);
    return (await machineFiles.readSetting(name)) === undefined ? undefined : '1';
  },
  writeSetting: async () => undefined,
  ...(machineFiles.resolvConfPath === undefined ? {} : {resolvConfPath: machineFiles.resolvConfPath}),
  readResolvConf: () => machineFiles.readResolvConf(),
};
