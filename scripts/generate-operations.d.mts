/** The text of native/src/operations.h. */
export function renderOperationsHeader(): Promise<string>;
