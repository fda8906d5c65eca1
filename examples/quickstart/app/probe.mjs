// A health probe: exits with 0 when the service answers on the port.
const answer = await fetch(`http://127.0.0.1:${process.argv[2]}/`).catch((error) => ({
  ok: false,
  status: error.message,
}));
if (!answer.ok) console.log(`answered ${answer.status}`);
process.exit(answer.ok ? 0 : 1);
