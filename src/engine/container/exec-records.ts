import type {ExecCreateBody} from '../../api/types/exec.ts';
import type {Attachment} from '../engine.ts';

/** A further process of a container. Known to the engine that made it, for as long as that lives. */
export interface ExecRecord {
  readonly id: string;
  readonly containerId: string;
  readonly body: ExecCreateBody;
  state: 'created' | 'running' | 'exited';
  exitCode: number | null;
  pid: number;
  attachment: Attachment | undefined;
}

export type ExecRecords = Map<string, ExecRecord>;

/** Of those that have ended this many are kept, so that a health check by exec every second fills no memory. */
const keptExited = 256;

export function addExec(records: ExecRecords, record: ExecRecord): void {
  const exited = [...records.values()].filter(({state}) => state === 'exited');
  for (const {id} of exited.slice(0, Math.max(exited.length - keptExited, 0))) records.delete(id);
  records.set(record.id, record);
}

/** As inspect answers them: null where there are none. */
export function execIds(records: ExecRecords, containerId: string): readonly string[] | null {
  const ids = [...records.values()]
    .filter((record) => record.containerId === containerId && record.state === 'running')
    .map(({id}) => id);
  return ids.length > 0 ? ids : null;
}
