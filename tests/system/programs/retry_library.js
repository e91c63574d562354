// One client whose retries are a library's: retry_library.js LIBRARY PORT PATH. Says what the library is set to, as retry_library.py does.
'use strict';
const http = require('http');
const [name, port, path] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}${path}`;

function tell(attempts, delay) {
  const delays = [];
  for (let k = 1; k < attempts; k++) {
    const drawn = Array.from({length: 300}, () => delay(k) / 1000);
    delays.push([Math.min(...drawn), Math.max(...drawn)]);
  }
  console.log(JSON.stringify({attempts, calls: 1, delays}));
}

function ask() {
  return new Promise((good, bad) => {
    http.get(url, {agent: false}, (answer) => {
      answer.resume();
      answer.on('end', () => (answer.statusCode < 400 ? good() : bad(new Error(`status ${answer.statusCode}`))));
    }).on('error', bad);
  });
}

const libraries = {
  async axios_retry() {
    const axios = require('axios').default, {default: axiosRetry, exponentialDelay} = require('axios-retry');
    const retries = 4;
    tell(retries + 1, (k) => exponentialDelay(k));
    axiosRetry(axios, {retries, retryDelay: (k) => exponentialDelay(k)});
    await axios.get(url);
  },
  async axios_retry_none() {
    const axios = require('axios').default, {default: axiosRetry} = require('axios-retry');
    const retries = 5;
    tell(retries + 1, () => 0);
    axiosRetry(axios, {retries});
    await axios.get(url);
  },
  async p_retry() {
    const {default: pRetry} = await import(require.resolve('p-retry'));
    const operations = require(require.resolve('retry', {paths: [require.resolve('p-retry')]}));
    const options = {retries: 5, minTimeout: 100, factor: 2, randomize: true};
    tell(options.retries + 1, (k) => operations.timeouts(options)[k - 1]);
    await pRetry(ask, options);
  },
  async cockatiel() {
    const {retry, handleAll, ExponentialBackoff, noJitterGenerator} = require('cockatiel');
    const maxAttempts = 4; // retries after the first try
    const backoff = new ExponentialBackoff({initialDelay: 150, maxDelay: 5000, exponent: 2, generator: noJitterGenerator});
    const drawn = [];
    for (let one = backoff.next(); drawn.length < maxAttempts; one = one.next()) drawn.push(one.duration);
    tell(maxAttempts + 1, (k) => drawn[k - 1]);
    await retry(handleAll, {maxAttempts, backoff}).execute(ask);
  },
  async cockatiel_constant() {
    const {retry, handleAll, ConstantBackoff} = require('cockatiel');
    const maxAttempts = 5;
    tell(maxAttempts + 1, () => new ConstantBackoff(200).next().duration);
    await retry(handleAll, {maxAttempts, backoff: new ConstantBackoff(200)}).execute(ask);
  },
};
libraries[name]().catch((gaveUp) => console.error(gaveUp.message));
