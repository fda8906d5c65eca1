import {setTimeout as delay} from 'node:timers/promises';

// What the programs of the virtual machine claim: each claim is printed as soon as it is known, and one that does not hold makes
// the program end with 1.

/** `seen`: what tells why, where it does not hold. */
export function expectThat(what: string, holds: boolean, seen = ''): void {
  if (holds) {
    console.log(`holds: ${what}`);
    return;
  }
  console.log(`does not hold: ${what} ${seen}`);
  process.exitCode = 1;
}

export function expectText(what: string, found: string, wanted: string): void {
  expectThat(`${what} is ${JSON.stringify(wanted)}`, found === wanted, `but ${JSON.stringify(found)}`);
}

/** An emulated processor takes its time. */
export async function holdsSoon(what: string, look: () => boolean, seen: () => string): Promise<void> {
  for (let attempt = 0; attempt < 120 && !look(); attempt += 1) await delay(500);
  expectThat(what, look(), seen());
}

/** What the refusal says. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'taken',
    (error: Error) => error.message,
  );
}
