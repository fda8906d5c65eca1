/** The health check: the program answers. */
const answer = await fetch('http://127.0.0.1:8090/greeting').catch(() => undefined);
process.exit(answer?.ok === true ? 0 : 1);
