// The size of a first visit: everything that it loads, compressed with brotli.
//
// BUDGET is what the page is meant to weigh. It is not met yet: LIMIT is what it weighs now, and
// may only be lowered, so that every change is held to it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const BUDGET = 350 * 1024;
const LIMIT = 680 * 1024;
const FIRST_LOAD = ['index.html', 'js/podium.js', 'podium.js', 'podium_bg.wasm'];

const dist = process.argv[2] ?? 'dist';
let total = 0;
for (const name of FIRST_LOAD) {
  const file = join(dist, name);
  if (!existsSync(file)) throw new Error(`${file} is missing: run scripts/test build first`);
  const raw = readFileSync(file);
  const packed = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } }).length;
  total += packed;
  console.log(`${name}: ${raw.length} bytes, ${packed} with brotli`);
}
console.log(`first load: ${total} bytes with brotli; budget ${BUDGET}${total > BUDGET ? ` (missed by ${total - BUDGET})` : ''}, limit ${LIMIT}`);
if (total > LIMIT) {
  console.error('heavier than it was: make it smaller');
  process.exit(1);
}
console.log('1 passed, 0 failed');
