import {expect, test} from 'vitest';
import {symbolicMode} from '../../../src/engine/build/symbolic-mode.ts';

// What BuildKit makes of files (f) and directories (d) of these modes.
const before = ['f644', 'f7777', 'f6711', 'd600', 'd1755', 'd2755'];
const recorded: Readonly<Record<string, string>> = {
  'u=rwX,go=rX': '644 1755 755 755 1755 755',
  'a=rX': '444 1555 555 555 1555 555',
  'o=': '640 7770 6710 600 1750 2750',
  '+x': '755 7777 6711 711 1755 2755',
  '+t': '1644 7777 7711 1600 1755 3755',
  '=t': '1644 7777 7711 1600 1755 3755',
  'go=t': '1600 5700 5700 1600 1700 1700',
  'o+t': '644 7777 6711 600 1755 2755',
  'u+t': '1644 7777 7711 1600 1755 3755',
  'u=s': '4044 7077 6011 4000 5055 6055',
  'o=t': '640 7770 6710 600 1750 2750',
  'a=t': '1000 1000 1000 1000 1000 1000',
  'u=g': '444 7777 6111 0 1555 2555',
  'g=u': '664 7777 6771 660 1775 2775',
  'a=u': '666 7777 6777 666 1777 2777',
  '=u': '666 7777 6777 666 1777 2777',
  '-u': '0 7000 6000 0 1000 2000',
  'go-w': '644 7755 6711 600 1755 2755',
  '=X': '0 1111 111 111 1111 111',
  '-X': '644 7666 6600 600 1644 2644',
  'a-x+X': '644 7777 6711 711 1755 2755',
  'u=gr': '444 3477 2411 400 1455 2455',
  'u=rg': '444 3777 2111 0 1555 2555',
  '+ts': '1644 7777 7711 1600 1755 3755',
  'g=u-w': '644 7757 6751 640 1755 2755',
  'o+x+w': '647 7777 6713 603 1757 2757',
  'u-wg': '44 7077 6411 400 1055 2055',
  'u=rwx,g=u,o=g': '777 3777 2777 777 1777 2777',
  'a=rwxt': '1777 1777 1777 1777 1777 1777',
  '-t': '644 6777 6711 600 755 2755',
  'u=rwt': '1644 3677 3611 1600 1655 3655',
  'o-rwx,+X': '640 7771 6711 711 1751 2751',
  'ug=rw+x': '774 1777 771 770 1775 775',
  'g=': '604 5707 4701 600 1705 705',
};

test.each(Object.entries(recorded))('--chmod=%s is what BuildKit makes of it', (text, after) => {
  const change = symbolicMode(text);
  const modes = before.map((entry) => change?.(Number.parseInt(entry.slice(1), 8), entry.startsWith('d')).toString(8));
  expect(modes.join(' ')).toBe(after);
});

test.each(['', 'u', 'rwx', 'u+q', 'u=r,', '8+x', 'u=r w'])('"%s" is no mode', (text) => {
  expect(symbolicMode(text)).toBeUndefined();
});
