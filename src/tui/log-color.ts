/** Attributes of text that a container may choose. Blinking and hidden text are not among them. */
export interface TextColor {
  readonly foreground: string;
  readonly background: string;
  /** SGR numbers of 1 bold, 2 faint, 3 italic, 4 underlined, 7 reversed, 9 struck out. */
  readonly marks: readonly number[];
}

export const plainColor: TextColor = {foreground: '', background: '', marks: []};

const marks = new Set([1, 2, 3, 4, 7, 9]);
/** What takes which marks away (ECMA-48 8.3.117). */
const unmarks: Readonly<Record<number, readonly number[]>> = {22: [1, 2], 23: [3], 24: [4], 27: [7], 29: [9]};

/** Reads the parameters of one SGR sequence (`1;38;5;208`); what is not known is passed over. */
export function readColor(color: TextColor, parameters: string): TextColor {
  let current = color;
  // A colon begins sub-parameters, which for colours mean the same as a semicolon does (the empty one is a colour space).
  const numbers = parameters
    .replace(/([34]8:2):\d*:(?=\d+:\d+:\d+)/g, '$1:')
    .split(/[;:]/)
    .map(Number);
  for (let index = 0; index < numbers.length; index++) {
    const number = numbers[index] ?? 0;
    if (number === 38 || number === 48) {
      const read = extendedColor(numbers.slice(index));
      if (read === undefined) return current;
      index += read.used - 1;
      current = number === 38 ? {...current, foreground: read.text} : {...current, background: read.text};
    } else {
      current = withNumber(current, number);
    }
  }
  return current;
}

/** As the parameters of an SGR sequence; empty: no attributes. */
export function writeColor({foreground, background, marks}: TextColor): string {
  return [...marks.map(String), foreground, background].filter((part) => part !== '').join(';');
}

function withNumber(color: TextColor, number: number): TextColor {
  if (number === 0) return plainColor;
  if (marks.has(number)) return {...color, marks: [...color.marks.filter((mark) => mark !== number), number]};
  const removed = unmarks[number];
  if (removed !== undefined) return {...color, marks: color.marks.filter((mark) => !removed.includes(mark))};
  if (number === 39) return {...color, foreground: ''};
  if (number === 49) return {...color, background: ''};
  if ((number >= 30 && number <= 37) || (number >= 90 && number <= 97)) return {...color, foreground: String(number)};
  if ((number >= 40 && number <= 47) || (number >= 100 && number <= 107)) return {...color, background: String(number)};
  return color;
}

function extendedColor([kind, form, ...rest]: readonly number[]):
  | {readonly text: string; readonly used: number}
  | undefined {
  const count = form === 5 ? 1 : form === 2 ? 3 : 0;
  const values = rest.slice(0, count);
  if (count === 0 || values.length < count || values.some((value) => !(value >= 0 && value <= 255))) return undefined;
  return {text: [kind, form, ...values].join(';'), used: 2 + count};
}
