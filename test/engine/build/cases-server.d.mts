/** Serves the files that some cases add from the network; `address` has no slash at its end. */
export function serveCases(): Promise<{readonly address: string; close(): void}>;
/** A text in which the server is called by its address. */
export function withServer(text: string, address: string): string;
/** The other way round. */
export function withoutServer(text: string, address: string): string;
