// pino as its documents set it up: JSON to stdout, and to a file by a transport, which is a worker's thread.
const pino = require('pino');
const log = pino();
for (let i = 0; i < 3; i++) log.warn({card: process.env.CARD}, 'declined');
const file = pino(pino.transport({target: 'pino/file', options: {destination: 'pino.log'}}));
for (let i = 0; i < 3; i++) file.error({card: process.env.CARD}, 'declined');
file.flush();
