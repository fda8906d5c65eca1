import type {ReplicaState, Selection, ServiceState, UiState} from './types.ts';

/** A line of the table: a service, or one of its replicas below it. */
export interface TableRow {
  readonly service: ServiceState;
  readonly replica: ReplicaState | undefined;
  /** Of a replica: it is the last of its service. */
  readonly last: boolean;
}

export function tableRows({services, expanded}: Pick<UiState, 'services' | 'expanded'>): readonly TableRow[] {
  return services.flatMap((service) => {
    const head: TableRow = {service, replica: undefined, last: false};
    if (!expanded.includes(service.name) || service.replicas.length < 2) return [head];
    const replicas = service.replicas.map((replica, index) => ({
      service,
      replica,
      last: index === service.replicas.length - 1,
    }));
    return [head, ...replicas];
  });
}

export function isSelected({service, replica}: TableRow, selection: Selection | undefined): boolean {
  return selection?.service === service.name && selection.replica === replica?.number;
}

export function selectedIndex(rows: readonly TableRow[], selection: Selection | undefined): number {
  return Math.max(
    0,
    rows.findIndex((row) => isSelected(row, selection)),
  );
}

/** The first line to show so that the selected one is among `height`, moving no more than needed. */
export function scrolledTop(top: number, selected: number, count: number, height: number): number {
  const lowest = Math.max(0, count - height);
  if (height <= 0) return 0;
  return Math.min(lowest, Math.max(Math.min(top, selected), selected - height + 1));
}
