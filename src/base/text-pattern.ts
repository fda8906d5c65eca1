/** A part of a pattern. Sources are of regular expressions with the flags `s` and `u`. */
export type PatternPart =
  | {readonly one: string; readonly repeat?: '*' | '?'}
  /** Something that is true of a place between characters: `^`, `$`, `\b`. */
  | {readonly place: string}
  /** All of it or nothing. */
  | {readonly maybe: readonly PatternPart[]};

/** Steps that a regular expression may take: it tries every way that stars can share a text. */
const mostTries = 100_000;

/**
 * Whether a whole text is what a pattern says, in a time that hardly grows with the number of stars: patterns come from
 * Dockerfiles and ignore files, and a regular expression alone would try for years.
 */
export function textMatcher(parts: readonly PatternPart[]): (text: string) => boolean {
  const expression = new RegExp(`^(?:${sourceOf(parts)})$`, 'su');
  const stars = countStars(parts);
  let program: readonly Step[] | undefined;
  return (text) => {
    if (text.length ** stars <= mostTries) return expression.test(text);
    program ??= compile(parts);
    const characters = [...text];
    return matchEnd(program, characters, {from: 0, wanted: 'whole'}) === characters.length;
  };
}

function sourceOf(parts: readonly PatternPart[]): string {
  return parts
    .map((part) => {
      if ('place' in part) return part.place;
      return 'one' in part ? part.one + (part.repeat ?? '') : `(?:${sourceOf(part.maybe)})?`;
    })
    .join('');
}

function countStars(parts: readonly PatternPart[]): number {
  return parts.reduce((sum, part) => {
    if ('maybe' in part) return sum + 1 + countStars(part.maybe);
    return sum + ('one' in part && part.repeat !== undefined ? 1 : 0);
  }, 0);
}

/** A step of a pattern: `take` goes on to the next one behind a character, the others in the same place. */
export type Step =
  | {readonly kind: 'take'; readonly test: (character: string) => boolean}
  | {readonly kind: 'place'; readonly test: (text: readonly string[], at: number) => boolean}
  | {readonly kind: 'split'; readonly to: number}
  | {readonly kind: 'jump'; readonly to: number};

/** The steps of a pattern, as Thompson has them: all ways are gone at once. */
export function compile(parts: readonly PatternPart[]): readonly Step[] {
  const steps: Step[] = [];
  const add = (list: readonly PatternPart[]): void => {
    for (const part of list) {
      const start = steps.length;
      if ('place' in part) steps.push({kind: 'place', test: placeTest(part.place)});
      else if ('maybe' in part) {
        steps.push({kind: 'split', to: start});
        add(part.maybe);
        steps[start] = {kind: 'split', to: steps.length};
      } else {
        const take = {kind: 'take', test: characterTest(part.one)} as const;
        if (part.repeat === undefined) steps.push(take);
        else if (part.repeat === '?') steps.push({kind: 'split', to: start + 2}, take);
        else steps.push({kind: 'split', to: start + 3}, take, {kind: 'jump', to: start});
      }
    }
  };
  add(parts);
  return steps;
}

function characterTest(source: string): (character: string) => boolean {
  const expression = new RegExp(`^(?:${source})$`, 'su');
  const known = new Map<string, boolean>();
  return (character) => {
    const answer = known.get(character) ?? expression.test(character);
    known.set(character, answer);
    return answer;
  };
}

/** Places know no more than the characters on both sides. */
function placeTest(source: string): (text: readonly string[], at: number) => boolean {
  if (source === '^') return (_, at) => at === 0;
  if (source === '$') return (text, at) => at === text.length;
  const isWord = (character: string | undefined): boolean => /^[0-9A-Za-z_]$/.test(character ?? '');
  const wanted = source === '\\b';
  return (text, at) => (isWord(text[at - 1]) !== isWord(text[at])) === wanted;
}

interface Asked {
  readonly from: number;
  /** `whole`: only the text's end counts. */
  readonly wanted: 'shortest' | 'longest' | 'whole';
}

/** Where a match ends that begins at `from`; undefined: there is none. */
export function matchEnd(program: readonly Step[], text: readonly string[], {from, wanted}: Asked): number | undefined {
  let states: number[] = [];
  let end: number | undefined;
  // The last place that a step was reached at.
  const reached = new Int32Array(program.length + 1).fill(-1);
  const reach = (first: number, at: number): void => {
    const open = [first];
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      if (reached[step] === at) continue;
      reached[step] = at;
      const known = program[step];
      if (known === undefined) end = wanted !== 'whole' || at === text.length ? at : end;
      else if (known.kind === 'take') states.push(step);
      else if (known.kind === 'jump') open.push(known.to);
      else if (known.kind === 'split') open.push(known.to, step + 1);
      else if (known.test(text, at)) open.push(step + 1);
    }
  };
  reach(0, from);
  for (let at = from; at < text.length && states.length > 0; at++) {
    if (wanted === 'shortest' && end !== undefined) break;
    const before = states;
    states = [];
    const character = text[at] ?? '';
    for (const step of before) {
      const known = program[step];
      if (known?.kind === 'take' && known.test(character)) reach(step + 1, at + 1);
    }
  }
  return end;
}

/** The places at which matches that begin with the text may end. */
export function matchEnds(program: readonly Step[], text: readonly string[]): ReadonlySet<number> {
  const ends = new Set<number>();
  const note = (_: readonly string[], at: number): boolean => {
    ends.add(at);
    return false;
  };
  matchEnd([...program, {kind: 'place', test: note}], text, {from: 0, wanted: 'longest'});
  return ends;
}
