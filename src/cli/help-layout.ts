import {Help} from 'commander';

/** Fewer columns are not enough to say something beside a flag: it is then said below. */
const leastBeside = 30;
const below = 6;

/** How help is laid out: in a narrow terminal no word is broken. */
export const helpLayout: Partial<Help> = {
  minWidthToWrap: 10,
  formatItem(term, termWidth, description, helper) {
    const width = helper.helpWidth ?? 80;
    if (description === '' || width - termWidth >= leastBeside) {
      return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
    }
    const lines = helper.boxWrap(description, width - below).split('\n');
    return [`  ${term}`, ...lines.map((line) => ' '.repeat(below) + line)].join('\n');
  },
};
