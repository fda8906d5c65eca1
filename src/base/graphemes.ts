const segmenter = new Intl.Segmenter(undefined, {granularity: 'grapheme'});

/** What a person calls characters: a cursor moves over one, backspace takes one away. */
export function graphemes(text: string): readonly string[] {
  return Array.from(segmenter.segment(text), ({segment}) => segment);
}
