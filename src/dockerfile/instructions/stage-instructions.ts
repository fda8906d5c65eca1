import {jsonList, textFlag} from '../arguments.ts';
import {fields, quotedWords} from '../words.ts';
import {noFlags, type Row} from './row.ts';

const stageName = /^[a-z][a-z0-9-_.]*$/;
const reservedNames = ['context', 'scratch'];

/** `FROM [--platform=…] image [AS name]`. */
export const from: Row<'FROM'> = {
  flags: {platform: 'text'},
  read(given) {
    const {text, at, fail} = given;
    const [image, as, name, more] = fields(text, at);
    const platform = textFlag(given, 'platform');
    const flags = platform === undefined ? {} : {platform};
    const end = at + text.length;
    if (image === undefined) return fail(at, end, 'missing-argument', 'FROM names no image', 'write FROM image');
    if (as === undefined) return {image, ...flags};
    if (as.text.toUpperCase() !== 'AS' || name === undefined || more !== undefined) {
      return fail(as.at, end, 'syntax', 'FROM has an image, and perhaps AS and a name', 'write FROM image AS name');
    }
    const lower = name.text.toLowerCase();
    if (!stageName.test(lower)) {
      const hint = 'begin with a letter, go on with letters, digits, "-", "_" and "."';
      return fail(name.at, end, 'invalid-name', `"${name.text}" cannot be the name of a stage`, hint);
    }
    if (reservedNames.includes(lower)) {
      given.warn(name.at, end, 'reserved-stage-name', `"${name.text}" means something else`, 'take another name');
    }
    return {image, stage: name, ...flags};
  },
};

/** `ARG name[=value]…`. */
export const arg: Row<'ARG'> = {
  flags: undefined,
  read({text, at, escapeToken, fail}) {
    const end = at + text.length;
    if (text === '') return fail(at, end, 'missing-argument', 'ARG names nothing', 'write ARG name');
    const found = quotedWords(text, {escapeToken, offset: at}).map((word) => {
      const equals = word.text.indexOf('=');
      if (equals < 0) return {name: word};
      const name = {text: word.text.slice(0, equals), at: word.at};
      return {name, value: {text: word.text.slice(equals + 1), at: word.at + equals + 1}};
    });
    const nameless = found.find(({name}) => name.text === '');
    if (nameless === undefined) return {arguments: found};
    return fail(nameless.name.at, end, 'missing-name', 'ARG has a value without a name', 'write ARG name=value');
  },
};

/** `SHELL ["program", "argument"…]`. */
export const shell: Row<'SHELL'> = {
  flags: noFlags,
  read({text, at, fail}) {
    const words = jsonList(text);
    if (words !== undefined && words.length > 0) return {words};
    const hint = 'write SHELL ["/bin/sh", "-c"]';
    return fail(at, at + text.length, 'syntax', 'SHELL needs a list of texts in JSON', hint);
  },
};
