/** Something about the machine's network that a person should know; containers start all the same. */
export interface Warning {
  readonly message: string;
  /** A sentence a person can act on. */
  readonly hint: string;
}
