/**
 * Stands in the bundle for the module `output` of Ink (scripts/build.mjs), which makes an object of each cell of each
 * frame and compares the styles of neighbours: 9 tenths of the time that a frame takes. Here a row is one text, as it is
 * there where nothing overlaps: what is written replaces its row. test/tui/app/ink-output.test.ts draws with both.
 */
// biome-ignore lint/style/noDefaultExport: as the module has it that this one stands for.
export default class Output {
  readonly #rows: string[];

  constructor({height}: {readonly width: number; readonly height: number}) {
    this.#rows = new Array<string>(height).fill('');
  }

  write(
    x: number,
    y: number,
    text: string,
    {transformers}: {readonly transformers: readonly ((text: string, index: number) => string)[]},
  ): void {
    for (const [index, line] of text.split('\n').entries()) {
      if (y + index >= this.#rows.length) return;
      const transformed = transformers.reduce((result, transform) => transform(result, index), line);
      this.#rows[y + index] = ' '.repeat(Math.max(0, x)) + transformed;
    }
  }

  /** Nothing is ever clipped: rows are as wide as the screen at most. */
  clip(): void {}

  unclip(): void {}

  get(): {readonly output: string; readonly height: number} {
    return {output: this.#rows.join('\n'), height: this.#rows.length};
  }
}
