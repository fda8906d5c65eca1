export interface Greeting {
  readonly text: string;
  readonly at: string;
}

/** Change a word here, save, and look at the page. */
export function greeting(now: Date): Greeting {
  return {text: 'Hello from TypeScript', at: now.toISOString()};
}
