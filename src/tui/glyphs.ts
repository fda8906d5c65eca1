/** The signs of the screen. Each stands beside a word, never alone; most take one cell. */
export interface Glyphs {
  readonly running: string;
  readonly busy: string;
  readonly restarting: string;
  readonly bad: string;
  readonly idle: string;
  readonly paused: string;
  readonly ok: string;
  readonly warning: string;
  readonly pending: string;
  readonly marker: string;
  readonly vertical: string;
  readonly horizontal: string;
  /** Upper left, upper right, lower left, lower right. */
  readonly corners: readonly [string, string, string, string];
  readonly branch: string;
  readonly lastBranch: string;
  readonly left: string;
  readonly right: string;
  readonly times: string;
  readonly plan: string;
  readonly more: string;
  readonly less: string;
  /** The names of the keys for up and down. */
  readonly upDown: string;
  readonly none: string;
  readonly dot: string;
  /** Where text was cut. */
  readonly cut: string;
  /** From low to high. */
  readonly spark: readonly string[];
  readonly barFull: string;
  readonly barEmpty: string;
  readonly spinner: readonly string[];
}

export const unicodeGlyphs: Glyphs = {
  running: '●',
  busy: '◐',
  restarting: '↻',
  bad: '✗',
  idle: '○',
  paused: '‖',
  ok: '✓',
  warning: '!',
  pending: '…',
  marker: '▸',
  vertical: '│',
  horizontal: '─',
  corners: ['╭', '╮', '╰', '╯'],
  branch: '├',
  lastBranch: '└',
  left: '←',
  right: '→',
  times: '×',
  plan: '±',
  more: '↓',
  less: '↑',
  upDown: '↑↓',
  none: '–',
  dot: '·',
  cut: '…',
  spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  barFull: '━',
  barEmpty: '─',
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};

export const asciiGlyphs: Glyphs = {
  running: '*',
  busy: '~',
  restarting: '@',
  bad: 'x',
  idle: 'o',
  paused: '=',
  ok: '+',
  warning: '!',
  pending: '.',
  marker: '>',
  vertical: '|',
  horizontal: '-',
  corners: ['+', '+', '+', '+'],
  branch: '|',
  lastBranch: '`',
  left: '<-',
  right: '->',
  times: 'x',
  plan: '+-',
  more: 'v',
  less: '^',
  upDown: 'up/down',
  none: '-',
  dot: '-',
  cut: '~',
  spark: ['_', '.', '-', '=', 'o', 'O', '#', '@'],
  barFull: '#',
  barEmpty: '-',
  spinner: ['|', '/', '-', '\\'],
};
