import {mean, median, quantile} from './measure.mjs';

/** Sides in the order of their columns. */
const columns = ['tscompose', 'docker', 'podman', 'crun'];

/**
 * A row of durations: of each side the median, the tenth that was quickest, and the processor time, all in milliseconds.
 * @param {string} what
 * @param {Record<string, {wall: number, cpu: number}[]>} taken by side
 * @param {number} [most] of the time that Docker takes
 */
export function durations(what, taken, most) {
  const show = (times) => {
    const walls = times.map(({wall}) => wall);
    const cpu = mean(times.map((one) => one.cpu));
    return `${round(median(walls))} (${round(quantile(walls, 0.1))}, CPU ${round(cpu)}) ms`;
  };
  const walls = (side) => taken[side].map(({wall}) => wall);
  return row(what, taken, show, {
    ratio: median(walls('tscompose')) / median(walls('docker')),
    ...(most !== undefined && {limit: `≤ ${most}`, holds: (ratio) => ratio <= most}),
  });
}

/**
 * A row of amounts in a unit, more or fewer of which are better.
 * @param {string} what
 * @param {Record<string, number[]>} taken by side
 * @param {{unit: string, least?: number, most?: number}} options limits as shares of Docker's
 */
export function amounts(what, taken, {unit, least, most}) {
  const show = (values) =>
    `${round(median(values))} (best ${round(quantile(values, least === undefined ? 0 : 1))}) ${unit}`;
  return row(what, taken, show, {
    ratio: median(taken.tscompose) / median(taken.docker),
    ...(least !== undefined && {limit: `≥ ${least}`, holds: (ratio) => ratio >= least}),
    ...(most !== undefined && {limit: `≤ ${most}`, holds: (ratio) => ratio <= most}),
  });
}

/** A row that compares with nobody. */
export function alone(what, text) {
  return {cells: [what, text, '', '', '', '', ''], met: true};
}

function row(what, taken, show, {ratio, limit = '', holds = () => true}) {
  const cells = columns.map((side) => (taken[side] === undefined ? '' : show(taken[side])));
  const met = holds(ratio);
  return {
    cells: [
      what,
      ...cells,
      String(Number(ratio.toPrecision(3))),
      limit === '' ? '' : `${limit}${met ? '' : ' missed'}`,
    ],
    met,
  };
}

const round = (value) => (value >= 100 ? Math.round(value) : Number(value.toFixed(1)));

export function printTable(rows) {
  console.log(`| what | ${columns.join(' | ')} | tscompose / docker | limit |\n|${'---|'.repeat(columns.length + 3)}`);
  for (const {cells} of rows) console.log(`| ${cells.join(' | ')} |`);
}
