import {cellsOf} from './cells.ts';
import {tableRows} from './table-rows.ts';
import type {ReplicaState, ServiceState, UiState} from './types.ts';

export type ColumnName = 'name' | 'state' | 'health' | 'up' | 'cpu' | 'memory' | 'restarts' | 'ports';

export interface Column {
  readonly name: ColumnName;
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  /** Of `cpu`: cells of the graph; of `memory`: cells of the bar; of `restarts`: 1 with the reason. */
  readonly extra: number;
}

/** How much each column may take; 0: it is left out. Widths do not follow what changes from second to second. */
interface Variant {
  readonly name: number;
  readonly health: number;
  readonly up: boolean;
  readonly spark: number;
  readonly percent: boolean;
  readonly bar: number;
  readonly memory: 0 | 4 | 9;
  readonly restarts: 0 | 3 | 13;
  readonly ports: number;
}

/** From the richest to the poorest: the first that fits is taken. */
const variants: readonly Variant[] = [
  {name: 28, health: 30, up: true, spark: 20, percent: true, bar: 12, memory: 9, restarts: 13, ports: 20},
  {name: 24, health: 24, up: true, spark: 14, percent: true, bar: 8, memory: 9, restarts: 13, ports: 16},
  {name: 22, health: 18, up: true, spark: 10, percent: true, bar: 6, memory: 9, restarts: 13, ports: 12},
  {name: 20, health: 14, up: true, spark: 8, percent: true, bar: 0, memory: 9, restarts: 13, ports: 10},
  {name: 18, health: 10, up: true, spark: 6, percent: true, bar: 0, memory: 9, restarts: 3, ports: 10},
  {name: 16, health: 9, up: true, spark: 4, percent: true, bar: 0, memory: 9, restarts: 3, ports: 9},
  {name: 14, health: 9, up: true, spark: 4, percent: true, bar: 0, memory: 9, restarts: 3, ports: 7},
  {name: 14, health: 9, up: true, spark: 6, percent: false, bar: 0, memory: 9, restarts: 3, ports: 7},
  {name: 14, health: 9, up: true, spark: 0, percent: true, bar: 0, memory: 9, restarts: 3, ports: 7},
  {name: 14, health: 9, up: true, spark: 0, percent: true, bar: 0, memory: 4, restarts: 3, ports: 0},
  {name: 14, health: 9, up: true, spark: 0, percent: true, bar: 0, memory: 0, restarts: 0, ports: 0},
  {name: 14, health: 0, up: true, spark: 0, percent: true, bar: 0, memory: 0, restarts: 0, ports: 0},
  {name: 12, health: 0, up: true, spark: 0, percent: false, bar: 0, memory: 0, restarts: 0, ports: 0},
  {name: 10, health: 0, up: false, spark: 0, percent: false, bar: 0, memory: 0, restarts: 0, ports: 0},
];

/** Between columns; the first one begins with the marker of the selection. */
const columnGap = 2;
const stateWidth = 12;

/** The columns for a table of at most `width` cells. */
export function chooseColumns(state: UiState, width: number): readonly Column[] {
  const content = contentOf(state);
  for (const variant of variants) {
    const columns = columnsOf(variant, content);
    if (tableWidth(columns) <= width) return columns;
  }
  // Even smaller: the name gets what the state leaves, and no less than half.
  const name = Math.max(1, Math.min(content.name, Math.max(width - stateWidth - 2, Math.floor((width - 2) / 2))));
  return [
    column('name', 'SERVICE', name),
    column('state', 'STATE', Math.max(1, Math.min(stateWidth, width - name - 2))),
  ];
}

/** With the marker in front and a gap of one cell where the table is of two columns. */
export function tableWidth(columns: readonly Column[]): number {
  return 1 + columns.reduce((sum, {width}) => sum + width, 0) + gapOf(columns) * (columns.length - 1);
}

export function gapOf(columns: readonly Column[]): number {
  return columns.length <= 2 ? 1 : columnGap;
}

interface Content {
  readonly name: number;
  readonly ports: number;
  readonly health: boolean;
}

function contentOf(state: UiState): Content {
  const rows = tableRows(state);
  return {
    name: Math.max(
      7,
      ...rows.map(({service, replica}) => cellsOf(replica === undefined ? nameText(service) : replica.name) + 2),
    ),
    ports: Math.max(0, ...state.services.map(({replicas}) => cellsOf(portsText(replicas)))),
    health: state.services.some(({replicas}) => replicas.some(({health}) => health !== undefined)),
  };
}

function columnsOf(variant: Variant, content: Content): readonly Column[] {
  const {spark, percent, bar, memory, restarts} = variant;
  const health = content.health ? variant.health : 0;
  const ports = content.ports === 0 ? 0 : Math.min(variant.ports, Math.max(5, content.ports));
  const cpu = spark + (percent ? (spark === 0 ? 5 : 6) : 0);
  return [
    column('name', 'SERVICE', Math.min(variant.name, content.name)),
    column('state', 'STATE', stateWidth),
    column('health', 'HEALTH', health),
    column('up', 'UP', variant.up ? 4 : 0, 'right'),
    column('cpu', 'CPU', cpu, 'right', spark),
    column(
      'memory',
      memory === 4 ? 'MEM' : 'MEMORY',
      memory === 0 ? 0 : memory + (bar === 0 ? 0 : bar + 1),
      'right',
      bar,
    ),
    column(
      'restarts',
      restarts === 3 ? 'RST' : 'RESTARTS',
      restarts,
      restarts === 3 ? 'right' : 'left',
      restarts === 13 ? 1 : 0,
    ),
    column('ports', 'PORTS', ports),
  ].filter(({width}) => width > 0);
}

function column(name: ColumnName, title: string, width: number, align: Column['align'] = 'left', extra = 0): Column {
  return {name, title, width, align, extra};
}

/** `api`, `api ×3`, and `api 2/3` where some are missing or down. */
export function nameText({name, replicas, wanted}: ServiceState, times = '×'): string {
  const count = Math.max(replicas.length, wanted ?? 0);
  if (count < 2) return name;
  const up = replicas.filter(({phase}) => phase === 'running' || phase === 'paused').length;
  return up === count ? `${name} ${times}${count}` : `${name} ${up}/${count}`;
}

/** Published ports, where a service is reached from outside, in `width` cells: `8000 8001`, `8000 +3`. */
export function portsText(replicas: readonly ReplicaState[], width = Number.POSITIVE_INFINITY): string {
  const ports = [...new Set(replicas.flatMap((replica) => replica.ports.flatMap(({published}) => published ?? [])))];
  for (let shown = ports.length; shown > 1; shown--) {
    const more = ports.length === shown ? '' : ` +${ports.length - shown}`;
    const text = `${ports.slice(0, shown).join(' ')}${more}`;
    if (text.length <= width) return text;
  }
  const [first] = ports;
  return first === undefined ? '' : ports.length === 1 ? `${first}` : `${first} +${ports.length - 1}`;
}
