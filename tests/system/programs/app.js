// An HTTP server and clients, child processes, workers, files and timers: run by node bare and watched.
'use strict';
const http = require('http'), net = require('net'), fs = require('fs'), os = require('os'), path = require('path');
const { spawn, execFileSync } = require('child_process');
const { Worker } = require('worker_threads');

function get(port, i) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path: '/' + i, agent: i % 2 ? http.globalAgent : new http.Agent({ keepAlive: true }) }, (r) => {
      let text = '';
      r.on('data', (d) => { text += d; });
      r.on('end', () => resolve(r.statusCode + ' ' + text.length));
    }).on('error', reject);
  });
}

async function main() {
  const server = http.createServer((q, r) => { r.statusCode = q.url === '/7' ? 503 : 200; r.end(q.url.repeat(1000)); });
  await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
  const port = server.address().port;
  console.log((await Promise.all([...Array(40).keys()].map((i) => get(port, i)))).join(','));
  const answer = await fetch(`http://127.0.0.1:${port}/fetch`, { signal: AbortSignal.timeout(20000) });
  console.log((await answer.text()).length);
  server.closeAllConnections();
  server.close();
  const file = path.join(process.cwd(), 'data.txt');
  fs.writeFileSync(file, 'x'.repeat(100000));
  console.log((await fs.promises.readFile(file)).length, fs.statSync(file).size);
  console.log(execFileSync('sh', ['-c', 'cat; echo done'], { input: 'abc' }).toString());
  const child = spawn('sh', ['-c', 'read x; echo "got $x"; exit 5'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end('line\n');
  child.stdout.on('data', (d) => process.stdout.write(d));
  console.log('child', await new Promise((ok) => child.on('close', ok)));
  const worker = new Worker('require("worker_threads").parentPort.postMessage(6 * 7)', { eval: true });
  console.log(await new Promise((ok) => worker.on('message', ok)));
  await new Promise((ok) => net.connect(1, '127.0.0.1').on('error', (e) => { console.log(e.code); ok(); }));
  const start = Date.now();
  await new Promise((ok) => setTimeout(ok, 30));
  console.log(Date.now() - start >= 29, os.EOL.length);
  process.exitCode = 11;
}
main();
