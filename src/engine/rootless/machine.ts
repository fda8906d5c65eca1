/** What the user namespace of an ordinary user's containers has. */
export interface RootlessMachine {
  readonly userId: number;
  /** The oom_score_adj of this process: systemd raises it for what a user's manager starts, and nobody lowers it without root. */
  readonly oomScore: number;
  /** How many user and group ids there are inside, from 0; 1: only the user's own. */
  readonly users: number;
  readonly groups: number;
  /** Where the keeper listens, which makes the sockets of published addresses and to name servers. */
  readonly outside: string;
}
